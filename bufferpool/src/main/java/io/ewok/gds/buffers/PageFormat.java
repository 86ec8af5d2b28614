package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The header of every page, 22 bytes, little-endian.
 *
 * <table>
 * <caption>Page header</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>layout</td><td>u8</td><td>high four bits: version, 1; low four bits: size code</td></tr>
 * <tr><td>1</td><td>flags</td><td>u8</td><td>bits 0 to 2: {@link #FLAG_FREE}, {@link
 *   #FLAG_UNUSED_ITEMS}, {@link #FLAG_KEEPS_FREED}; bits 3 to 7 are the owner's</td></tr>
 * <tr><td>2</td><td>checksum</td><td>u16</td><td>1 to 65535, never zero</td></tr>
 * <tr><td>4</td><td>prune_xid</td><td>u32</td><td>oldest unpruned xmax on the page, or zero</td></tr>
 * <tr><td>8</td><td>lsn</td><td>u64</td><td>next byte in the log after the last change of this page</td></tr>
 * <tr><td>16</td><td>lower</td><td>u16</td><td>offset to the start of free space</td></tr>
 * <tr><td>18</td><td>upper</td><td>u16</td><td>offset to the end of free space; zero stands for 65536</td></tr>
 * <tr><td>20</td><td>special</td><td>u16</td><td>offset to special space, or zero</td></tr>
 * </table>
 *
 * <p>Item pointers and tuples follow, see {@link SlottedPage}. The checksum is CRC32C over the page
 * with the checksum field zero and then over the page number as 8 bytes, which guards against a
 * page written to the wrong place; of that the remainder by 65535, plus one. A page of zeros only
 * has never been written.
 *
 * <p>All methods take the segment of a whole page and may be called by whoever has it fixed;
 * setters need it exclusive. In the pool the segment of a page of an encrypted file is {@link
 * #SEAL_BYTES} shorter than the page, and what it has is plain; checksums are of what is on the
 * device.
 */
public final class PageFormat {
  /** Size of the header in bytes. */
  public static final int HEADER_BYTES = 22;

  /** Version of this layout. */
  public static final int VERSION = 1;

  /** Flag of a page that its owner has given back; only its header means anything. */
  public static final int FLAG_FREE = 1;

  /** Flag of a slotted page that may have unused slots; without it there is none to look for. */
  public static final int FLAG_UNUSED_ITEMS = 2;

  /** Flag of a slotted page whose owner does not need the bytes of deleted tuples zeroed. */
  public static final int FLAG_KEEPS_FREED = 4;

  /** By how many bytes its owner has less of a page in an encrypted file. */
  public static final int SEAL_BYTES = PageSealFormat.BYTES;

  private static final int LAYOUT = 0;
  private static final int FLAGS = LAYOUT + Byte.BYTES;
  private static final int CHECKSUM = FLAGS + Byte.BYTES;
  private static final int PRUNE_XID = CHECKSUM + Short.BYTES;
  private static final int LSN = PRUNE_XID + Integer.BYTES;
  private static final int LOWER = LSN + Long.BYTES;
  private static final int UPPER = LOWER + Short.BYTES;
  private static final int SPECIAL = UPPER + Short.BYTES;

  private static final int UPPER_MAX = 1 << Short.SIZE;

  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final MemorySegment ZEROS =
      MemorySegment.ofArray(new byte[PageSize.BYTES_65536.bytes()]).asReadOnly();

  private PageFormat() {}

  /**
   * Makes an empty page: all zeros but the layout and the bounds of the free space, which is all of
   * it.
   */
  public static void format(MemorySegment page, PageSize size) {
    page.fill((byte) 0);
    setLayout(page, size);
    setLower(page, HEADER_BYTES);
    setUpper(page, (int) page.byteSize());
  }

  /** Whether the page is all zeros: it was made room for, and never written. */
  public static boolean isNeverWritten(MemorySegment page) {
    return page.get(ValueLayout.JAVA_BYTE, LAYOUT) == 0
        && MemorySegment.mismatch(page, 0, page.byteSize(), ZEROS, 0, page.byteSize()) < 0;
  }

  /** The version in the layout byte. */
  public static int version(MemorySegment page) {
    return Byte.toUnsignedInt(page.get(ValueLayout.JAVA_BYTE, LAYOUT)) >>> 4;
  }

  /** The size code in the layout byte, 0 to 15; only 0 to 7 are sizes. */
  public static int sizeCode(MemorySegment page) {
    return page.get(ValueLayout.JAVA_BYTE, LAYOUT) & 0xF;
  }

  /** The flag bits. */
  public static int flags(MemorySegment page) {
    return Byte.toUnsignedInt(page.get(ValueLayout.JAVA_BYTE, FLAGS));
  }

  /** Sets the flag bits. */
  public static void setFlags(MemorySegment page, int flags) {
    page.set(ValueLayout.JAVA_BYTE, FLAGS, (byte) inRange("flags", flags, 0xFF));
  }

  /** The checksum as last written to disk; zero in a page that was never written. */
  public static int checksum(MemorySegment page) {
    return Short.toUnsignedInt(page.get(SHORT, CHECKSUM));
  }

  /** The oldest unpruned xmax, or zero. */
  public static long pruneXid(MemorySegment page) {
    return Integer.toUnsignedLong(page.get(INT, PRUNE_XID));
  }

  /** Sets the oldest unpruned xmax, an unsigned 32-bit number. */
  public static void setPruneXid(MemorySegment page, long xid) {
    page.set(INT, PRUNE_XID, (int) inRange("xid", xid, 0xFFFF_FFFFL));
  }

  /** The log position just after the record of the last change; zero if it was not logged. */
  public static long lsn(MemorySegment page) {
    return page.get(LONG, LSN);
  }

  static void setLsn(MemorySegment page, long lsn) {
    page.set(LONG, LSN, lsn);
  }

  /** The offset of the first free byte. */
  public static int lower(MemorySegment page) {
    return Short.toUnsignedInt(page.get(SHORT, LOWER));
  }

  /** Sets the offset of the first free byte. */
  public static void setLower(MemorySegment page, int offset) {
    page.set(SHORT, LOWER, (short) inRange("lower", offset, 0xFFFF));
  }

  /** The offset after the last free byte, 1 to 65536. */
  public static int upper(MemorySegment page) {
    int upper = Short.toUnsignedInt(page.get(SHORT, UPPER));
    return upper == 0 ? UPPER_MAX : upper;
  }

  /** Sets the offset after the last free byte, 1 to 65536. */
  public static void setUpper(MemorySegment page, int offset) {
    page.set(SHORT, UPPER, (short) (inRange("upper - 1", offset - 1, 0xFFFF) + 1));
  }

  /** The offset of the special space, or zero. */
  public static int special(MemorySegment page) {
    return Short.toUnsignedInt(page.get(SHORT, SPECIAL));
  }

  /** Sets the offset of the special space, or zero if there is none. */
  public static void setSpecial(MemorySegment page, int offset) {
    page.set(SHORT, SPECIAL, (short) inRange("special", offset, 0xFFFF));
  }

  /** The checksum that the page should carry under this number. */
  public static int computeChecksum(MemorySegment page, long number) {
    ByteBuffer bytes = page.asByteBuffer();
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, CHECKSUM));
    crc.update(0);
    crc.update(0);
    crc.update(bytes.slice(PRUNE_XID, bytes.capacity() - PRUNE_XID));
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      crc.update((int) (number >>> shift) & 0xFF);
    }
    return (int) (crc.getValue() % 0xFFFF) + 1;
  }

  /**
   * Makes the page ready to be written under this number: stores the checksum, and the layout,
   * which is the file's and not the caller's to change.
   */
  static void seal(MemorySegment page, PageSize size, long number) {
    setLayout(page, size);
    setChecksum(page, computeChecksum(page, number));
  }

  static void setChecksum(MemorySegment page, int checksum) {
    page.set(SHORT, CHECKSUM, (short) checksum);
  }

  /**
   * Checks a page that was read from disk.
   *
   * @param number the page's number, part of the checksum
   * @param path the file, for the message
   * @throws CorruptFileException if layout or checksum are wrong and the page is not all zeros
   * @throws UnsupportedFormatException if the checksum is right and the version unknown
   */
  public static void verify(MemorySegment page, PageSize size, long number, Path path)
      throws StorageException {
    if (isNeverWritten(page)) {
      return;
    }
    long offset = number * size.bytes();
    int expected = computeChecksum(page, number);
    if (checksum(page) != expected) {
      throw new CorruptFileException(
          path,
          offset,
          "checksum " + expected + " in page " + number,
          "checksum " + checksum(page));
    }
    if (version(page) != VERSION) {
      throw new UnsupportedFormatException(path, version(page), VERSION);
    }
    if (sizeCode(page) != size.code()) {
      throw new CorruptFileException(
          path,
          offset,
          "size code " + size.code() + " in page " + number,
          "size code " + sizeCode(page));
    }
  }

  static void setLayout(MemorySegment page, PageSize size) {
    page.set(ValueLayout.JAVA_BYTE, LAYOUT, (byte) (VERSION << 4 | size.code()));
  }

  private static long inRange(String name, long value, long max) {
    if (value < 0 || value > max) {
      throw new IllegalArgumentException(
          "a page header field has no room for this value: " + name + "=" + value);
    }
    return value;
  }
}
