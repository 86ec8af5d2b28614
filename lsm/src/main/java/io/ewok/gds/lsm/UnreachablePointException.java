package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/**
 * Backups and archive do not lead to what a store was to be restored to: no backup is old enough,
 * the archive ends before, misses something or is damaged, or something came into the store that
 * the log does not have. The message says how far they lead.
 */
public final class UnreachablePointException extends StorageException {
  private static final long serialVersionUID = 1;

  private final long sequence;

  UnreachablePointException(String message, Path path, long sequence, Throwable causeOrNull) {
    super(message, path, causeOrNull);
    this.sequence = sequence;
  }

  /** Returns the greatest sequence number that can be restored instead; -1 if there is none. */
  public long reachableSequence() {
    return sequence;
  }
}
