package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import java.util.zip.CRC32C;

/**
 * A table file: records ordered by key and stamp, written once, then only read. It is a sequence of
 * blocks, each a multiple of 4 KiB long and read with one access: data blocks without gaps from
 * offset 0, one index block, one range block, one footer block of 4 KiB at the end. All integers
 * are little-endian, without alignment.
 *
 * <table>
 * <caption>Block of length n</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>body</td><td></td><td>entries without gaps, or the fields of the
 * footer</td></tr>
 * <tr><td>p</td><td>offsets</td><td>u32 × count</td><td>where each entry starts: search is binary,
 * and going back costs what going forward does</td></tr>
 * <tr><td>p + 4 × count</td><td>padding</td><td></td><td>zeros</td></tr>
 * <tr><td>n - 20</td><td>count</td><td>u32</td><td>entries; 0 in a footer</td></tr>
 * <tr><td>n - 16</td><td>p</td><td>u32</td><td>end of the body</td></tr>
 * <tr><td>n - 12</td><td>length</td><td>u32</td><td>n</td></tr>
 * <tr><td>n - 8</td><td>type</td><td>u8</td><td>1 data, 2 index, 3 range, 4 footer</td></tr>
 * <tr><td>n - 7</td><td>zero</td><td>3 bytes</td><td>0</td></tr>
 * <tr><td>n - 4</td><td>checksum</td><td>u32</td><td>CRC32C of everything before it, then of the
 * table's number and the block's offset as u64 each: guards against reads of the wrong place and
 * of a recycled file</td></tr>
 * </table>
 *
 * <table>
 * <caption>Entry</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>stamp</td><td>u64</td><td>see {@link RecordKind}</td></tr>
 * <tr><td>8</td><td>value length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>12</td><td>key length</td><td>u16</td><td>bytes</td></tr>
 * <tr><td>14</td><td>key</td><td></td><td></td></tr>
 * <tr><td>14 + key length</td><td>value</td><td></td><td>in data blocks the user's; in the index,
 * whose keys are the last of each data block, that block's offset (u64) and length (u32); in the
 * range block, whose keys are the table's first and last, empty</td></tr>
 * </table>
 *
 * <table>
 * <caption>Body of the footer</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u64</td><td>"GDSTABLE" in ASCII</td></tr>
 * <tr><td>8</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>12</td><td>tag length</td><td>u32</td><td>bytes kept before each block's trailer for a
 * nonce and a tag: 0</td></tr>
 * <tr><td>16</td><td>number</td><td>u64</td><td>the table's number, as in its name</td></tr>
 * <tr><td>24</td><td>entries</td><td>u64</td><td>records</td></tr>
 * <tr><td>32</td><td>deletes</td><td>u64</td><td>those of them that are deletes</td></tr>
 * <tr><td>40</td><td>first sequence</td><td>u64</td><td>smallest of the records</td></tr>
 * <tr><td>48</td><td>last sequence</td><td>u64</td><td>greatest of the records</td></tr>
 * <tr><td>56</td><td>index offset</td><td>u64</td><td>also the end of the data blocks</td></tr>
 * <tr><td>64</td><td>range offset</td><td>u64</td><td>also the end of the index</td></tr>
 * <tr><td>72</td><td>footer offset</td><td>u64</td><td>also the end of the range block; the file
 * ends 4 KiB later</td></tr>
 * </table>
 */
public final class TableFormat {
  public static final int BLOCK_ALIGNMENT_BYTES = 4096;

  public static final int TYPE_DATA = 1;
  public static final int TYPE_INDEX = 2;
  public static final int TYPE_RANGE = 3;
  public static final int TYPE_FOOTER = 4;

  public static final int STAMP_OFFSET = 0;
  public static final int VALUE_LENGTH_OFFSET = STAMP_OFFSET + Long.BYTES;
  public static final int KEY_LENGTH_OFFSET = VALUE_LENGTH_OFFSET + Integer.BYTES;
  public static final int ENTRY_HEADER_BYTES = KEY_LENGTH_OFFSET + Short.BYTES;

  /** What an entry takes besides key and value. */
  public static final int ENTRY_OVERHEAD_BYTES = ENTRY_HEADER_BYTES + Integer.BYTES;

  public static final int INDEX_VALUE_BYTES = Long.BYTES + Integer.BYTES;

  // From the end of a block.
  public static final int CHECKSUM_BACK = Integer.BYTES;
  public static final int TYPE_BACK = CHECKSUM_BACK + Integer.BYTES;
  public static final int LENGTH_BACK = TYPE_BACK + Integer.BYTES;
  public static final int BODY_END_BACK = LENGTH_BACK + Integer.BYTES;
  public static final int COUNT_BACK = BODY_END_BACK + Integer.BYTES;
  public static final int TRAILER_BYTES = COUNT_BACK;

  public static final long MAGIC = 0x454C_4241_5453_4447L;
  public static final int VERSION = 1;
  public static final int MAGIC_OFFSET = 0;
  public static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
  public static final int TAG_LENGTH_OFFSET = VERSION_OFFSET + Integer.BYTES;
  public static final int NUMBER_OFFSET = TAG_LENGTH_OFFSET + Integer.BYTES;
  public static final int ENTRIES_OFFSET = NUMBER_OFFSET + Long.BYTES;
  public static final int DELETES_OFFSET = ENTRIES_OFFSET + Long.BYTES;
  public static final int FIRST_SEQUENCE_OFFSET = DELETES_OFFSET + Long.BYTES;
  public static final int LAST_SEQUENCE_OFFSET = FIRST_SEQUENCE_OFFSET + Long.BYTES;
  public static final int INDEX_OFFSET_OFFSET = LAST_SEQUENCE_OFFSET + Long.BYTES;
  public static final int RANGE_OFFSET_OFFSET = INDEX_OFFSET_OFFSET + Long.BYTES;
  public static final int FOOTER_OFFSET_OFFSET = RANGE_OFFSET_OFFSET + Long.BYTES;
  public static final int FOOTER_BODY_BYTES = FOOTER_OFFSET_OFFSET + Long.BYTES;
  public static final int FOOTER_BYTES = BLOCK_ALIGNMENT_BYTES;

  private TableFormat() {}

  /** Rounds up to whole blocks' alignment. */
  public static long padded(long bytes) {
    return (bytes + BLOCK_ALIGNMENT_BYTES - 1) & -BLOCK_ALIGNMENT_BYTES;
  }

  /** Size of the smallest block with one such entry, in bytes. */
  public static long blockBytes(long keyBytes, long valueBytes) {
    return padded(ENTRY_OVERHEAD_BYTES + keyBytes + valueBytes + TRAILER_BYTES);
  }

  public static void putTrailer(
      long block, int lengthBytes, int type, int count, int bodyEnd, long number, long offset) {
    long end = block + lengthBytes;
    Memory.putInt(end - COUNT_BACK, count);
    Memory.putInt(end - BODY_END_BACK, bodyEnd);
    Memory.putInt(end - LENGTH_BACK, lengthBytes);
    Memory.putInt(end - TYPE_BACK, type);
    Memory.putInt(end - CHECKSUM_BACK, checksum(block, lengthBytes, number, offset));
  }

  /** The checksum that a block should have at this place of this table. */
  public static int checksum(long block, int lengthBytes, long number, long offset) {
    CRC32C crc = new CRC32C();
    crc.update(Memory.view(block, lengthBytes - CHECKSUM_BACK).asByteBuffer());
    update(crc, number);
    update(crc, offset);
    return (int) crc.getValue();
  }

  private static void update(CRC32C crc, long value) {
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      crc.update((int) (value >>> shift) & 0xFF);
    }
  }
}
