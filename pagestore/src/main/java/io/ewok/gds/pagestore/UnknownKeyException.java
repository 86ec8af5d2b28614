package io.ewok.gds.pagestore;

import java.nio.file.Path;

/** A file is encrypted, and nobody has the key. */
public final class UnknownKeyException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final int keyId;

  /** A file that was written under the key of this number. */
  public UnknownKeyException(Path path, int keyId) {
    super("the file is encrypted with a key that is not among those given: keyId=" + keyId, path);
    this.keyId = keyId;
  }

  /** Returns the number of the key that is wanted. */
  public int keyId() {
    return keyId;
  }
}
