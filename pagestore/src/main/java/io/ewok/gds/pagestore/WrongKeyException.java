package io.ewok.gds.pagestore;

import java.nio.file.Path;

/** A file is encrypted, and the key that was given for it is not the one it was written under. */
public final class WrongKeyException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final int keyId;

  /** A file that says it was written under the key of this number. */
  public WrongKeyException(Path path, int keyId) {
    super(
        "the file is encrypted with another key than the one given under this number, or was"
            + " tampered with: keyId="
            + keyId,
        path);
    this.keyId = keyId;
  }

  /** Returns the number of the key. */
  public int keyId() {
    return keyId;
  }
}
