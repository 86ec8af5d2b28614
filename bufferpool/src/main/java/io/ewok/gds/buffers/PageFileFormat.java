package io.ewok.gds.buffers;

import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Page 0 of a page file: what must be known to read the others. Written once, when the file is
 * created, so that no power cut can tear it later. It has the header and the checksum of every
 * page, and after the header:
 *
 * <table>
 * <caption>File page, little-endian</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>24</td><td>magic</td><td>u64</td><td>the bytes {@code GDSPAGES}</td></tr>
 * <tr><td>32</td><td>version</td><td>u32</td><td>1; 2 if the pages are encrypted</td></tr>
 * <tr><td>36</td><td>torn pages</td><td>u8</td><td>the mode: 1 NONE, 2 DOUBLE_WRITE, 3 BACKUP, 4 ATOMIC</td></tr>
 * <tr><td>37</td><td>reserved</td><td>u8</td><td>zero</td></tr>
 * <tr><td>38</td><td>trailer</td><td>u16</td><td>bytes at the end of each page that are not its owner's (a nonce and a
 *   tag): 0, or 48 if they are encrypted, see {@link PageSealFormat}</td></tr>
 * <tr><td>40</td><td>file</td><td>u64</td><td>of a file with a journal: chosen at random, and the same in both</td></tr>
 * <tr><td>48</td><td>salt</td><td>16 bytes</td><td>only of an encrypted file, as is what follows: random, goes into
 *   all keys of the file</td></tr>
 * <tr><td>64</td><td>seal</td><td>48 bytes</td><td>of what is before; nothing of this page is secret</td></tr>
 * </table>
 *
 * <p>The size of the pages is in the layout byte of the header. What is above lies in one sector,
 * and zeros behind it: so the seal can be another one later, under another key, and not be torn.
 */
final class PageFileFormat {
  static final int VERSION = 1;

  /** That of files whose pages are encrypted. */
  static final int VERSION_SEALED = 2;

  /** How many bytes from the start of the file must be read to know what it is. */
  static final int PREFIX_BYTES = 48;

  private static final int MAGIC = 24;
  private static final int FILE_VERSION = MAGIC + Long.BYTES;
  private static final int TORN_PAGES = FILE_VERSION + Integer.BYTES;
  private static final int TRAILER = TORN_PAGES + 2 * Byte.BYTES;
  private static final int FILE_ID = TRAILER + Short.BYTES;
  private static final int SALT = PREFIX_BYTES;
  private static final int SALT_BYTES = 16;

  /** Where the seal of this page is, and what is before it is sealed. */
  static final int SEAL = SALT + SALT_BYTES;

  /** By the value that stands for them, less one. */
  private static final TornPages[] MODES = {
    TornPages.NONE, TornPages.DOUBLE_WRITE, TornPages.BACKUP, TornPages.ATOMIC
  };

  private static final long MAGIC_VALUE = 0x5345474150534447L;

  private PageFileFormat() {}

  /**
   * What a file says of itself.
   *
   * @param fileId that of its journal, or 0
   * @param saltOrNull null if its pages are not encrypted
   */
  record Identity(TornPages tornPages, long fileId, Salt saltOrNull) {
    Identity(TornPages tornPages, long fileId) {
      this(tornPages, fileId, null);
    }
  }

  /** What goes into all keys of a file. */
  record Salt(long low, long high) {
    static Salt random() {
      MemorySegment bytes = MemorySegment.ofArray(FileKey.randomSalt(SALT_BYTES));
      return new Salt(bytes.get(PageFormat.LONG, 0), bytes.get(PageFormat.LONG, Long.BYTES));
    }

    byte[] bytes() {
      byte[] bytes = new byte[SALT_BYTES];
      MemorySegment memory = MemorySegment.ofArray(bytes);
      memory.set(PageFormat.LONG, 0, low);
      memory.set(PageFormat.LONG, Long.BYTES, high);
      return bytes;
    }
  }

  /** Makes a page that was formatted the file page. */
  static void write(MemorySegment page, Identity identity) {
    Salt salt = identity.saltOrNull();
    boolean sealed = salt != null;
    PageFormat.setLower(page, sealed ? SEAL + PageSealFormat.BYTES : PREFIX_BYTES);
    PageFormat.setUpper(page, (int) page.byteSize());
    page.set(PageFormat.LONG, MAGIC, MAGIC_VALUE);
    page.set(PageFormat.INT, FILE_VERSION, sealed ? VERSION_SEALED : VERSION);
    int mode = Arrays.asList(MODES).indexOf(identity.tornPages()) + 1;
    page.set(ValueLayout.JAVA_BYTE, TORN_PAGES, (byte) mode);
    page.set(PageFormat.SHORT, TRAILER, (short) (sealed ? PageSealFormat.BYTES : 0));
    page.set(PageFormat.LONG, FILE_ID, identity.fileId());
    if (sealed) {
      page.set(PageFormat.LONG, SALT, salt.low());
      page.set(PageFormat.LONG, SALT + Long.BYTES, salt.high());
    }
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
    requireKnown(prefix, path);
    return PageSize.ofCode(code);
  }

  /** Whether the pages of a file that begins so are encrypted. */
  static boolean isSealed(MemorySegment prefix) {
    return prefix.get(PageFormat.INT, FILE_VERSION) == VERSION_SEALED;
  }

  static Salt salt(MemorySegment prefix) {
    return new Salt(
        prefix.get(PageFormat.LONG, SALT), prefix.get(PageFormat.LONG, SALT + Long.BYTES));
  }

  private static void requireKnown(MemorySegment prefix, Path path) throws StorageException {
    int version = prefix.get(PageFormat.INT, FILE_VERSION);
    if (version != VERSION && version != VERSION_SEALED) {
      throw new UnsupportedFormatException(path, version, VERSION_SEALED);
    }
  }

  /** The torn-page mode of a file that begins so, or null if it is none that is known. */
  static TornPages tornPagesOrNull(MemorySegment prefix) {
    int mode = prefix.get(ValueLayout.JAVA_BYTE, TORN_PAGES);
    return mode < 1 || mode > MODES.length ? null : MODES[mode - 1];
  }

  /**
   * Checks that this is the start of a page file with pages of this size.
   *
   * @param prefix the first sector of the file or more
   * @throws IllegalArgumentException if it has pages of another size
   */
  static Identity check(MemorySegment prefix, PageSize size, Path path) throws StorageException {
    if (prefix.get(PageFormat.LONG, MAGIC) != MAGIC_VALUE) {
      throw new CorruptFileException(
          path, MAGIC, "a page file", "0x" + Long.toHexString(prefix.get(PageFormat.LONG, MAGIC)));
    }
    requireKnown(prefix, path);
    if (PageFormat.sizeCode(prefix) != size.code()) {
      throw new IllegalArgumentException(
          "the file has pages of another size: path=%s sizeCode=%d wantedCode=%d"
              .formatted(path, PageFormat.sizeCode(prefix), size.code()));
    }
    int tornPages = prefix.get(ValueLayout.JAVA_BYTE, TORN_PAGES);
    int trailer = Short.toUnsignedInt(prefix.get(PageFormat.SHORT, TRAILER));
    int expected = isSealed(prefix) ? PageSealFormat.BYTES : 0;
    if (tornPages < 1 || tornPages > MODES.length || trailer != expected) {
      throw new CorruptFileException(
          path,
          TORN_PAGES,
          "torn-page mode 1 to " + MODES.length + " and a trailer of " + expected + " bytes",
          "mode " + tornPages + " and a trailer of " + trailer + " bytes");
    }
    Salt salt = isSealed(prefix) ? salt(prefix) : null;
    return new Identity(MODES[tornPages - 1], prefix.get(PageFormat.LONG, FILE_ID), salt);
  }
}
