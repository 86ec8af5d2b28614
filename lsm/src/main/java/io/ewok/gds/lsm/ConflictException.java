package io.ewok.gds.lsm;

import java.nio.file.Path;
import java.util.HexFormat;

/**
 * What a {@link Transaction} stands on was written by somebody else since: a key that it has read,
 * or one in a range that it has scanned. Or it has written a key that a {@link PreparedTransaction}
 * holds.
 */
public final class ConflictException extends TransactionRetryException {
  private static final long serialVersionUID = 1L;
  private static final int KEY_BYTES_SHOWN = 64;

  private final transient Conflict conflict;

  ConflictException(Conflict conflict, Path store) {
    super(conflict.message(), store);
    this.conflict = conflict;
  }

  /** The beginning of a key, for a message. */
  static String shown(byte[] key) {
    int bytes = Math.min(key.length, KEY_BYTES_SHOWN);
    return HexFormat.of().formatHex(key, 0, bytes) + (bytes < key.length ? "..." : "");
  }

  /** Returns the name of the family that the key is of. */
  public String family() {
    return conflict.family().name();
  }

  /** Returns the key that was written, or the first one of a range that was deleted. */
  public byte[] key() {
    return conflict.key().clone();
  }

  /** Returns the sequence number of that write; 0 if a prepared transaction holds the key. */
  public long sequence() {
    return conflict.sequence();
  }
}
