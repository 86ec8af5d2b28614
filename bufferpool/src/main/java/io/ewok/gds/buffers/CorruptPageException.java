package io.ewok.gds.buffers;

/**
 * What a page says about itself cannot be: a bound or an item points out of its place. The checksum
 * was right, so whoever wrote the page wrote this, or it was read optimistically while somebody
 * changed it: then try again, as after any {@link IndexOutOfBoundsException} of an optimistic read.
 */
public final class CorruptPageException extends IndexOutOfBoundsException {
  private static final long serialVersionUID = 1L;

  CorruptPageException(String message) {
    super(message);
  }
}
