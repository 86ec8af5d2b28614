package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.StorageException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * A key cannot be read, because the {@link MergeOperator} failed to make a value of its operands.
 * They are as they were; other keys, and the store, are not touched by it.
 */
public final class MergeFailedException extends StorageException {
  private static final long serialVersionUID = 1L;
  private static final int KEY_BYTES_SHOWN = 64;

  private final byte[] key;

  MergeFailedException(String reason, SearchKey key, Path store, Throwable causeOrNull) {
    super("the operands of a key cannot be merged, " + reason + shown(key), store, causeOrNull);
    this.key = key.segment().toArray(ValueLayout.JAVA_BYTE);
  }

  private static String shown(SearchKey key) {
    byte[] start =
        key.segment()
            .asSlice(0, Math.min(key.lengthBytes(), KEY_BYTES_SHOWN))
            .toArray(ValueLayout.JAVA_BYTE);
    String more = key.lengthBytes() > KEY_BYTES_SHOWN ? "..." : "";
    return ": key=" + HexFormat.of().formatHex(start) + more;
  }

  /** Returns the key. */
  public byte[] key() {
    return key.clone();
  }
}
