package io.ewok.gds.buffers;

/** The eight sizes of a page. One file has pages of one size. */
public enum PageSize {
  /** Code 0. */
  BYTES_512(0),
  /** Code 1. */
  BYTES_1024(1),
  /** Code 2. */
  BYTES_2048(2),
  /** Code 3. */
  BYTES_4096(3),
  /** Code 4. */
  BYTES_8192(4),
  /** Code 5. */
  BYTES_16384(5),
  /** Code 6. */
  BYTES_32768(6),
  /** Code 7. */
  BYTES_65536(7);

  private static final int BYTES_MIN = 512;
  private static final PageSize[] SIZES = values();

  private final int code;

  PageSize(int code) {
    this.code = code;
  }

  /** The size as written in the low four bits of a page's first byte. */
  public int code() {
    return code;
  }

  /** The size in bytes. */
  public int bytes() {
    return BYTES_MIN << code;
  }

  /**
   * The size with a code.
   *
   * @throws IllegalArgumentException if the code is not 0 to 7
   */
  public static PageSize ofCode(int code) {
    if (code < 0 || code >= SIZES.length) {
      throw new IllegalArgumentException("a page size has a code of 0 to 7: code=" + code);
    }
    return SIZES[code];
  }

  /**
   * The size with so many bytes.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static PageSize ofBytes(int bytes) {
    for (PageSize size : SIZES) {
      if (size.bytes() == bytes) {
        return size;
      }
    }
    throw new IllegalArgumentException(
        "a page has a power of two of 512 to 65536 bytes: bytes=" + bytes);
  }
}
