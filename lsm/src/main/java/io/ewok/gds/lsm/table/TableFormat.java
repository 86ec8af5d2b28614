package io.ewok.gds.lsm.table;

import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import java.util.zip.CRC32C;

/**
 * A table file: records ordered by key and stamp, written once, then only read. It is a sequence of
 * blocks: data blocks; after the data blocks that each leads to an index partition, and before it
 * the filter of their keys, if there is one; then range deletes, the bounds of the keys, the root
 * of the index, and the footer in the last 4 KiB. A block starts at a multiple of 16; between
 * blocks and after the footer are zeros. All integers are little-endian, without alignment but for
 * the heads.
 *
 * <table>
 * <caption>Block as it is stored</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>checksum</td><td>u32</td><td>CRC32C of all that follows of the block, then of
 * the table's number and the block's offset as u64 each: guards against reads of the wrong place and
 * of a recycled file</td></tr>
 * <tr><td>4</td><td>stored length</td><td>u32</td><td>bytes after this header</td></tr>
 * <tr><td>8</td><td>length</td><td>u32</td><td>bytes when decompressed, a multiple of 16</td></tr>
 * <tr><td>12</td><td>compression</td><td>u8</td><td>0 none, 1 LZ4, 2 Zstandard</td></tr>
 * <tr><td>13</td><td>sealed</td><td>u8</td><td>1 if the block is encrypted, else 0</td></tr>
 * <tr><td>14</td><td>zero</td><td>2 bytes</td><td>0</td></tr>
 * <tr><td>16</td><td>block</td><td></td><td>if it is sealed, encrypted as it would be stored
 * otherwise, and followed by a tag of 16 bytes, which count as stored</td></tr>
 * </table>
 *
 * <p>In an encrypted table all blocks are sealed but the footer and the key, which have nothing of
 * keys and values. The nonce is the block's offset; length and compression are authenticated, too.
 * The key of the file is derived for the table's number, see {@link FileKey}. Checksums are of
 * sealed bytes: damage is told from another key, and found without one.
 *
 * <p>A <em>handle</em> of 16 bytes leads to a block: its offset (u64), its length as it is stored,
 * header included (u32), and its length (u32). No block has a handle of zeros only.
 *
 * <table>
 * <caption>Block of n entries: data, index, root or bounds</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>type</td><td>u8</td><td>1 data, 2 index partition, 3 root, 4 bounds</td></tr>
 * <tr><td>1</td><td>stamp width w</td><td>u8</td><td>0, 4 or 8</td></tr>
 * <tr><td>2</td><td>zero</td><td>u16</td><td>0</td></tr>
 * <tr><td>4</td><td>n</td><td>u32</td><td>at least 1</td></tr>
 * <tr><td>8</td><td>prefix length p</td><td>u32</td><td>bytes that all keys begin with</td></tr>
 * <tr><td>12</td><td>longest key</td><td>u32</td><td>its length in bytes</td></tr>
 * <tr><td>16</td><td>stamp base</td><td>u64</td><td>what is to be added to each stamp</td></tr>
 * <tr><td>24</td><td>heads</td><td>u64 × n</td><td>the up to 8 bytes of each key after the prefix as
 * a big-endian number, filled up with zeros: search compares whole numbers in one place</td></tr>
 * <tr><td>24 + 8n</td><td>stamps</td><td>w bytes × n</td><td>see {@code RecordKind}, less the
 * base</td></tr>
 * <tr><td></td><td>tails</td><td>u32 × (n + 1)</td><td>times 16: offset in the block of the key's
 * bytes after its head; plus how many bytes of the head are the key's. The last one is where the
 * tails end, which is where the values start</td></tr>
 * <tr><td></td><td>values</td><td>u32 × (n + 1)</td><td>offset in the block of each value; the last
 * one is where they end</td></tr>
 * <tr><td></td><td>prefix</td><td>p bytes</td><td></td></tr>
 * <tr><td></td><td>keys' tails</td><td></td><td></td></tr>
 * <tr><td></td><td>values</td><td></td><td>of a record the user's; in an index partition, whose keys
 * are not before the last of each data block and before all of the next, its handle; in the root,
 * whose keys are so for partitions, the handles of the partition and of its filter, zeros if it has
 * none; in the bounds, whose keys are the table's first and last, nothing, but in the first entry of
 * a table with range deletes the handle of the last block of these, their number (u64), and the
 * greatest sequence number of the records (u64), which tells whether a range delete hides all of
 * them; some tables have been written without the latter. Ends of range deletes count as keys
 * here</td></tr>
 * <tr><td></td><td>padding</td><td></td><td>zeros, at least 8, to a multiple of 16</td></tr>
 * </table>
 *
 * <p>So the place of every field of an entry is known from its ordinal: to go forward, to go back
 * and to search cost the same, and whoever wants keys only touches no values.
 *
 * <table>
 * <caption>Filter</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>type</td><td>u8</td><td>5</td></tr>
 * <tr><td>1</td><td>probes</td><td>u8</td><td>bits set for each key, 1 to 16</td></tr>
 * <tr><td>2</td><td>zero</td><td>u16</td><td>0</td></tr>
 * <tr><td>4</td><td>lines</td><td>u32</td><td></td></tr>
 * <tr><td>8</td><td>zero</td><td>56 bytes</td><td>0</td></tr>
 * <tr><td>64</td><td>lines</td><td>64 bytes each</td><td>bit b of a line is bit b % 64 of its word b /
 * 64; see {@link FilterView}</td></tr>
 * </table>
 *
 * <table>
 * <caption>Block of range deletes</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>type</td><td>u8</td><td>7</td></tr>
 * <tr><td>1</td><td>zero</td><td>3 bytes</td><td>0</td></tr>
 * <tr><td>4</td><td>n</td><td>u32</td><td>at least 1</td></tr>
 * <tr><td>8</td><td>before</td><td>handle</td><td>of the block of range deletes before this one, zeros
 * if it is the first</td></tr>
 * <tr><td>24</td><td>range deletes</td><td>n, each</td><td>sequence number (u64), length of the first
 * key (u32), length of the key that ends the range (u32), both keys; ordered by first key</td></tr>
 * <tr><td></td><td>padding</td><td></td><td>zeros, at least 8, to a multiple of 16</td></tr>
 * </table>
 *
 * <p>A table has records, also one of range deletes alone: a delete of the first key of the first
 * of them then, which says nothing new.
 *
 * <table>
 * <caption>Footer</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>type</td><td>u8</td><td>6</td></tr>
 * <tr><td>1</td><td>zero</td><td>3 bytes</td><td>0</td></tr>
 * <tr><td>4</td><td>family</td><td>u32</td><td>number of the family that the records are of: tells what
 * belongs together when the manifest is lost</td></tr>
 * <tr><td>8</td><td>magic</td><td>u64</td><td>"GDSTABLE" in ASCII</td></tr>
 * <tr><td>16</td><td>version</td><td>u32</td><td>1, and 1 more if there are range deletes, 2 more if
 * there are references to values in value files, 4 more if the bounds say what the greatest sequence
 * number of the records is, and 8 more if the table is encrypted</td></tr>
 * <tr><td>20</td><td>tag length</td><td>u32</td><td>bytes of the tag after each stored block: 16 if
 * the table is encrypted, else 0</td></tr>
 * <tr><td>24</td><td>number</td><td>u64</td><td>the table's number, as in its name</td></tr>
 * <tr><td>32</td><td>entries</td><td>u64</td><td>records</td></tr>
 * <tr><td>40</td><td>deletes</td><td>u64</td><td>those of them that are deletes</td></tr>
 * <tr><td>48</td><td>first sequence</td><td>u64</td><td>smallest of the records and range deletes</td></tr>
 * <tr><td>56</td><td>last sequence</td><td>u64</td><td>greatest of them</td></tr>
 * <tr><td>64</td><td>root</td><td>handle</td><td></td></tr>
 * <tr><td>80</td><td>bounds</td><td>handle</td><td></td></tr>
 * <tr><td>96</td><td>key bytes</td><td>u64</td><td>of all records, before anything was left
 * out</td></tr>
 * <tr><td>104</td><td>value bytes</td><td>u64</td><td>of all records</td></tr>
 * <tr><td>112</td><td>data blocks</td><td>u64</td><td>how many there are</td></tr>
 * <tr><td>120</td><td>data length</td><td>u64</td><td>bytes that they are when decompressed</td></tr>
 * <tr><td>128</td><td>data stored</td><td>u64</td><td>bytes that they are as stored</td></tr>
 * <tr><td>136</td><td>index bytes</td><td>u64</td><td>of the partitions, as stored</td></tr>
 * <tr><td>144</td><td>filter bytes</td><td>u64</td><td>of the filters, as stored</td></tr>
 * <tr><td>152</td><td>partitions</td><td>u32</td><td>of the index</td></tr>
 * <tr><td>156</td><td>compression</td><td>u8</td><td>what was asked for; blocks that do not shrink
 * are stored as they are</td></tr>
 * <tr><td>157</td><td>filter bits</td><td>u8</td><td>for each key; 0 if there are no filters</td></tr>
 * <tr><td>158</td><td>filter prefix</td><td>u16</td><td>length in bytes of the prefixes of keys that
 * are in the filters too; 0 if none are</td></tr>
 * </table>
 *
 * <table>
 * <caption>Key: of an encrypted table, 512 bytes behind the start of the footer's block</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>type</td><td>u8</td><td>8</td></tr>
 * <tr><td>1</td><td>zero</td><td>7 bytes</td><td>0</td></tr>
 * <tr><td>8</td><td>key note</td><td>24 bytes</td><td>see {@link FileKey}</td></tr>
 * <tr><td>32</td><td>tag</td><td>16 bytes</td><td></td></tr>
 * <tr><td>48</td><td>footer</td><td>160 bytes</td><td>the footer once more, encrypted: so nobody can
 * write another</td></tr>
 * </table>
 */
public final class TableFormat {
  /** What every file's length, and what is written of it at once, is a multiple of. */
  public static final int FILE_ALIGNMENT_BYTES = 4096;

  static final int BLOCK_ALIGNMENT_BYTES = 16;

  // A block as it is stored.
  static final int CHECKSUM_OFFSET = 0;
  static final int STORED_LENGTH_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;
  static final int LENGTH_OFFSET = STORED_LENGTH_OFFSET + Integer.BYTES;
  static final int COMPRESSION_OFFSET = LENGTH_OFFSET + Integer.BYTES;
  static final int STORED_HEADER_BYTES = COMPRESSION_OFFSET + Integer.BYTES;

  static final int HANDLE_BYTES = Long.BYTES + 2 * Integer.BYTES;

  // What all blocks begin with.
  static final int TYPE_OFFSET = 0;
  static final int WIDTH_OFFSET = TYPE_OFFSET + Byte.BYTES;
  static final int PROBES_OFFSET = WIDTH_OFFSET;
  static final int ZERO_OFFSET = WIDTH_OFFSET + Byte.BYTES;
  static final int COUNT_OFFSET = ZERO_OFFSET + Short.BYTES;

  static final int TYPE_DATA = 1;
  static final int TYPE_INDEX = 2;
  static final int TYPE_ROOT = 3;
  static final int TYPE_BOUNDS = 4;
  static final int TYPE_FILTER = 5;
  static final int TYPE_FOOTER = 6;
  static final int TYPE_RANGES = 7;
  static final int TYPE_KEY = 8;

  /** In the word of the compression: the block is sealed. */
  static final int SEALED_BIT = 1 << Byte.SIZE;

  static final int TAG_BYTES = FileKey.TAG_BYTES;

  // A block of entries.
  static final int PREFIX_LENGTH_OFFSET = COUNT_OFFSET + Integer.BYTES;
  static final int LONGEST_KEY_OFFSET = PREFIX_LENGTH_OFFSET + Integer.BYTES;
  static final int STAMP_BASE_OFFSET = LONGEST_KEY_OFFSET + Integer.BYTES;
  static final int HEADS_OFFSET = STAMP_BASE_OFFSET + Long.BYTES;
  static final int HEAD_BYTES = Long.BYTES;

  /** A tail's word is its offset, above so many bits for the bytes of the head. */
  static final int TAIL_SHIFT = 4;

  static final int TAIL_MASK = (1 << TAIL_SHIFT) - 1;

  /** Zeros at the end of a block: whoever reads a word at the last byte stays inside. */
  static final int SLACK_BYTES = Long.BYTES;

  /** The longest block: offsets in it have so many bits that a tail's word holds one. */
  static final int BLOCK_BYTES_MAX = 1 << (Integer.SIZE - TAIL_SHIFT - 1);

  // The value in the bounds that leads to range deletes.
  static final int RANGE_COUNT_OFFSET = HANDLE_BYTES;
  static final int NEWEST_RECORD_OFFSET = RANGE_COUNT_OFFSET + Long.BYTES;
  static final int RANGES_VALUE_BYTES = NEWEST_RECORD_OFFSET + Long.BYTES;

  /** Of a table whose bounds do not know its newest record. */
  static final int RANGES_VALUE_BYTES_WITHOUT_NEWEST = NEWEST_RECORD_OFFSET;

  // A block of range deletes.
  static final int RANGES_BEFORE_OFFSET = COUNT_OFFSET + Integer.BYTES;
  static final int RANGES_OFFSET = RANGES_BEFORE_OFFSET + HANDLE_BYTES;

  // A filter.
  static final int FILTER_LINE_BYTES = 64;
  static final int FILTER_LINES_OFFSET = FILTER_LINE_BYTES;
  static final int FILTER_PROBES_MAX = 16;

  // The footer.
  static final long MAGIC = 0x454C_4241_5453_4447L;
  static final int VERSION = 1;

  /** What does not know range deletes must not read a table that has some; nor with references. */
  private static final int RANGES_BIT = 1;

  private static final int REFERENCES_BIT = 2;

  /** Only where there are range deletes: nobody else asks. */
  private static final int NEWEST_RECORD_BIT = 4;

  private static final int SEALED_VERSION_BIT = 8;
  static final int VERSION_MAX =
      VERSION + RANGES_BIT + REFERENCES_BIT + NEWEST_RECORD_BIT + SEALED_VERSION_BIT;

  static final int FAMILY_OFFSET = TYPE_OFFSET + Integer.BYTES;
  static final int MAGIC_OFFSET = FAMILY_OFFSET + Integer.BYTES;
  static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
  static final int TAG_LENGTH_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int NUMBER_OFFSET = TAG_LENGTH_OFFSET + Integer.BYTES;
  static final int ENTRIES_OFFSET = NUMBER_OFFSET + Long.BYTES;
  static final int DELETES_OFFSET = ENTRIES_OFFSET + Long.BYTES;
  static final int FIRST_SEQUENCE_OFFSET = DELETES_OFFSET + Long.BYTES;
  static final int LAST_SEQUENCE_OFFSET = FIRST_SEQUENCE_OFFSET + Long.BYTES;
  static final int ROOT_OFFSET = LAST_SEQUENCE_OFFSET + Long.BYTES;
  static final int BOUNDS_OFFSET = ROOT_OFFSET + HANDLE_BYTES;
  static final int KEY_BYTES_OFFSET = BOUNDS_OFFSET + HANDLE_BYTES;
  static final int VALUE_BYTES_OFFSET = KEY_BYTES_OFFSET + Long.BYTES;
  static final int DATA_BLOCKS_OFFSET = VALUE_BYTES_OFFSET + Long.BYTES;
  static final int DATA_LENGTH_OFFSET = DATA_BLOCKS_OFFSET + Long.BYTES;
  static final int DATA_STORED_OFFSET = DATA_LENGTH_OFFSET + Long.BYTES;
  static final int INDEX_BYTES_OFFSET = DATA_STORED_OFFSET + Long.BYTES;
  static final int FILTER_BYTES_OFFSET = INDEX_BYTES_OFFSET + Long.BYTES;
  static final int PARTITIONS_OFFSET = FILTER_BYTES_OFFSET + Long.BYTES;
  static final int ASKED_COMPRESSION_OFFSET = PARTITIONS_OFFSET + Integer.BYTES;
  static final int FILTER_BITS_OFFSET = ASKED_COMPRESSION_OFFSET + Byte.BYTES;
  static final int FILTER_PREFIX_OFFSET = FILTER_BITS_OFFSET + Byte.BYTES;
  static final int FOOTER_BYTES = FILTER_PREFIX_OFFSET + Short.BYTES;
  static final int FOOTER_STORED_BYTES = STORED_HEADER_BYTES + FOOTER_BYTES;

  // The key.
  /** Where its block is, behind the start of the footer's. */
  static final int KEY_BLOCK_OFFSET = 512;

  static final int KEY_NOTE_OFFSET = Long.BYTES;
  static final int KEY_TAG_OFFSET = KEY_NOTE_OFFSET + FileKey.NOTE_BYTES;
  static final int KEY_FOOTER_OFFSET = KEY_TAG_OFFSET + TAG_BYTES;
  static final int KEY_BYTES = KEY_FOOTER_OFFSET + FOOTER_BYTES;
  static final int KEY_STORED_BYTES = STORED_HEADER_BYTES + KEY_BYTES;

  private TableFormat() {}

  /** The version of a table. */
  static int version(boolean hasRanges, boolean hasReferences, boolean isSealed) {
    return VERSION
        + (hasRanges ? RANGES_BIT + NEWEST_RECORD_BIT : 0)
        + (hasReferences ? REFERENCES_BIT : 0)
        + (isSealed ? SEALED_VERSION_BIT : 0);
  }

  /** Whether a table of a version is encrypted. */
  static boolean isSealed(int version) {
    return (version - VERSION & SEALED_VERSION_BIT) != 0;
  }

  /** What the key of a table is derived for. */
  static String keyPurpose(long number) {
    return "table " + number;
  }

  /** What is authenticated with a sealed block, besides its offset. */
  static long sealContext(int lengthBytes, int compression) {
    return ((long) lengthBytes << Byte.SIZE) | compression;
  }

  /** Whether a table of a version has range deletes. */
  static boolean hasRanges(int version) {
    return (version - VERSION & RANGES_BIT) != 0;
  }

  /** Whether a table of a version has references to values. */
  static boolean hasReferences(int version) {
    return (version - VERSION & REFERENCES_BIT) != 0;
  }

  /** Whether the bounds of a table of a version know its newest record. */
  static boolean knowsNewestRecord(int version) {
    return (version - VERSION & NEWEST_RECORD_BIT) != 0;
  }

  /** How much the bounds of a table of a version, which has range deletes, say of them in bytes. */
  static int rangesValueBytes(int version) {
    return knowsNewestRecord(version) ? RANGES_VALUE_BYTES : RANGES_VALUE_BYTES_WITHOUT_NEWEST;
  }

  /** Rounds up to a multiple of a power of two. */
  static long alignUp(long bytes, int alignment) {
    return (bytes + alignment - 1) & -alignment;
  }

  /** Rounds up to a multiple of what files are written in. */
  public static long padded(long bytes) {
    return alignUp(bytes, FILE_ALIGNMENT_BYTES);
  }

  /** Where the footer starts in a file of this length. */
  static long footerOffset(long fileBytes) {
    return fileBytes - FILE_ALIGNMENT_BYTES;
  }

  /** Length of a block of entries up to its values, in bytes. */
  static long columnsBytes(int count, int stampWidth, long prefixBytes, long tailBytes) {
    return HEADS_OFFSET
        + (long) count * (HEAD_BYTES + stampWidth)
        + 2L * (count + 1) * Integer.BYTES
        + prefixBytes
        + tailBytes;
  }

  /** Length of a block of entries with columns and values of these lengths, in bytes. */
  static long blockBytes(long columnsBytes, long valueBytes) {
    return alignUp(columnsBytes + valueBytes + SLACK_BYTES, BLOCK_ALIGNMENT_BYTES);
  }

  static void putHandle(long address, long offset, int storedBytes, int lengthBytes) {
    Memory.putLong(address, offset);
    Memory.putInt(address + Long.BYTES, storedBytes);
    Memory.putInt(address + Long.BYTES + Integer.BYTES, lengthBytes);
  }

  static long handleOffset(long handle) {
    return Memory.getLong(handle);
  }

  static int handleStoredBytes(long handle) {
    return Memory.getInt(handle + Long.BYTES);
  }

  static int handleLengthBytes(long handle) {
    return Memory.getInt(handle + Long.BYTES + Integer.BYTES);
  }

  static int type(long block) {
    return Byte.toUnsignedInt(Memory.getByte(block + TYPE_OFFSET));
  }

  /** Whether blocks of a type consist of entries, which have stamps. */
  static boolean hasStamps(int type) {
    return type >= TYPE_DATA && type <= TYPE_BOUNDS;
  }

  /** Writes the header of a block that is stored and complete otherwise. */
  static void putStoredHeader(
      long stored, int storedBytes, int lengthBytes, int compression, long number, long offset) {
    Memory.putInt(stored + STORED_LENGTH_OFFSET, storedBytes - STORED_HEADER_BYTES);
    Memory.putInt(stored + LENGTH_OFFSET, lengthBytes);
    Memory.putInt(stored + COMPRESSION_OFFSET, compression);
    Memory.putInt(stored + CHECKSUM_OFFSET, checksum(stored, storedBytes, number, offset));
  }

  /** The checksum that a block should have which is stored at this place of this table. */
  static int checksum(long stored, int storedBytes, long number, long offset) {
    CRC32C crc = new CRC32C();
    crc.update(
        Memory.view(stored + STORED_LENGTH_OFFSET, storedBytes - STORED_LENGTH_OFFSET)
            .asByteBuffer());
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
