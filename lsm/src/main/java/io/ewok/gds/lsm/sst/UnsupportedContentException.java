package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/** A sound file of RocksDB or LevelDB holds something that cannot be taken over into a store. */
public final class UnsupportedContentException extends StorageException {
  private static final long serialVersionUID = 1L;

  UnsupportedContentException(Path path, String message) {
    super(message, path);
  }

  static void requireBytewise(Path path, String comparator) throws UnsupportedContentException {
    if (!comparator.equals(SstFormat.COMPARATOR)) {
      throw new UnsupportedContentException(
          path, "keys are not ordered by their bytes: comparator=" + comparator);
    }
  }
}
