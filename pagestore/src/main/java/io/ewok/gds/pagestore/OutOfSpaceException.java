package io.ewok.gds.pagestore;

import java.nio.file.Path;

/**
 * The device or the user's quota is full. Nothing that was synced before is lost and the file stays
 * usable: the operation may be tried again when space has been made.
 */
public final class OutOfSpaceException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** A full device, with the failure that told so, which may be null. */
  public OutOfSpaceException(String message, Path path, Throwable cause) {
    super(message, path, cause);
  }
}
