package io.ewok.gds.buffers;

import io.ewok.gds.encryption.FileKey;

/**
 * The seal of a page of an encrypted file: its last 48 bytes, little-endian. Of the page, what is
 * between header and seal is encrypted (AES-256-GCM), and the header stays plain: to tell a torn
 * page, which of two is later, or a free one, takes no key. The checksum in the header is of the
 * page as it is on the device; for the seal it is zero.
 *
 * <table>
 * <caption>Seal</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>life</td><td>24 bytes</td><td>key note ({@link FileKey}) of the life of the file in which the page
 *   was written</td></tr>
 * <tr><td>24</td><td>write</td><td>u64</td><td>how many pages were written in that life before; the nonce</td></tr>
 * <tr><td>32</td><td>tag</td><td>16 bytes</td><td>of the bytes, and of page number (u64) and header as additional data</td></tr>
 * </table>
 *
 * <p>The file page has nothing to hide, and its seal elsewhere, see {@link PageFileFormat}.
 */
final class PageSealFormat {
  /** Offset of the key note, in 8-byte integers. */
  static final int LIFE = 0;

  static final int WRITE = LIFE + FileKey.NOTE_BYTES;
  static final int TAG = WRITE + Long.BYTES;
  static final int BYTES = TAG + FileKey.TAG_BYTES;

  private PageSealFormat() {}

  /** Where the seal of a page begins. */
  static int offset(PageSize size, long page) {
    return page == 0 ? PageFileFormat.SEAL : size.bytes() - BYTES;
  }

  /** How much of a page stays plain. */
  static int plainBytes(long page) {
    return page == 0 ? PageFileFormat.SEAL : PageFormat.HEADER_BYTES;
  }

  /** How much of a page is encrypted. */
  static int hiddenBytes(PageSize size, long page) {
    return offset(size, page) - plainBytes(page);
  }
}
