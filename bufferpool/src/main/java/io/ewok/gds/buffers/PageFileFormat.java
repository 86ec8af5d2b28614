package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Page 0 of a page file: what must be known to read the others. Written once, when the file is
 * created, so that no power cut can tear it later. It has the header and the checksum of every
 * page, and after the header:
 *
 * <table>
 * <caption>File page, little-endian</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>24</td><td>magic</td><td>u64</td><td>the bytes {@code GDSPAGES}</td></tr>
 * <tr><td>32</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>36</td><td>torn pages</td><td>u8</td><td>1: detected, not repaired (NONE)</td></tr>
 * <tr><td>37</td><td>reserved</td><td>u8</td><td>zero</td></tr>
 * <tr><td>38</td><td>trailer</td><td>u16</td><td>bytes at the end of each page that are not its owner's (a nonce and a
 *   tag); 0</td></tr>
 * </table>
 *
 * <p>The size of the pages is in the layout byte of the header.
 */
final class PageFileFormat {
  static final int VERSION = 1;
  static final byte TORN_PAGES_NONE = 1;

  /** How many bytes from the start of the file must be read to know what it is. */
  static final int PREFIX_BYTES = 40;

  private static final int MAGIC = 24;
  private static final int FILE_VERSION = MAGIC + Long.BYTES;
  private static final int TORN_PAGES = FILE_VERSION + Integer.BYTES;
  private static final int TRAILER = TORN_PAGES + 2 * Byte.BYTES;

  private static final long MAGIC_VALUE = 0x5345474150534447L;

  private PageFileFormat() {}

  /** Makes a page that was formatted the file page. */
  static void write(MemorySegment page, PageSize size) {
    PageFormat.setLower(page, PREFIX_BYTES);
    PageFormat.setUpper(page, size.bytes());
    page.set(PageFormat.LONG, MAGIC, MAGIC_VALUE);
    page.set(PageFormat.INT, FILE_VERSION, VERSION);
    page.set(ValueLayout.JAVA_BYTE, TORN_PAGES, TORN_PAGES_NONE);
    page.set(PageFormat.SHORT, TRAILER, (short) 0);
  }

  /**
   * The size of the pages of a file that begins so.
   *
   * @param prefix the first {@link #PREFIX_BYTES} of the file or more
   */
  static PageSize sizeOf(MemorySegment prefix, Path path) throws StorageException {
    int code = PageFormat.sizeCode(prefix);
    if (prefix.get(PageFormat.LONG, MAGIC) != MAGIC_VALUE || code >= PageSize.values().length) {
      throw new NotAPageFileException(path);
    }
    int version = prefix.get(PageFormat.INT, FILE_VERSION);
    if (version != VERSION) {
      throw new UnsupportedFormatException(path, version, VERSION);
    }
    return PageSize.ofCode(code);
  }

  /**
   * Checks that this is the start of a page file with pages of this size.
   *
   * @param prefix the first {@link #PREFIX_BYTES} of the file or more
   * @throws IllegalArgumentException if it has pages of another size
   */
  static void check(MemorySegment prefix, PageSize size, Path path) throws StorageException {
    if (prefix.get(PageFormat.LONG, MAGIC) != MAGIC_VALUE) {
      throw new CorruptFileException(
          path, MAGIC, "a page file", "0x" + Long.toHexString(prefix.get(PageFormat.LONG, MAGIC)));
    }
    int version = prefix.get(PageFormat.INT, FILE_VERSION);
    if (version != VERSION) {
      throw new UnsupportedFormatException(path, version, VERSION);
    }
    if (PageFormat.sizeCode(prefix) != size.code()) {
      throw new IllegalArgumentException(
          "the file has pages of another size: path=%s sizeCode=%d wantedCode=%d"
              .formatted(path, PageFormat.sizeCode(prefix), size.code()));
    }
    int tornPages = prefix.get(ValueLayout.JAVA_BYTE, TORN_PAGES);
    int trailer = Short.toUnsignedInt(prefix.get(PageFormat.SHORT, TRAILER));
    if (tornPages != TORN_PAGES_NONE || trailer != 0) {
      throw new CorruptFileException(
          path,
          TORN_PAGES,
          "torn-page mode 1 and no trailer",
          "mode " + tornPages + " and a trailer of " + trailer + " bytes");
    }
  }
}
