package io.ewok.gds.lsm.values;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/** The beginning of a key for messages, in hexadecimal. */
final class ShownKey {
  private static final int BYTES_MAX = 64;

  private ShownKey() {}

  static String of(long address, int keyBytes) {
    byte[] start =
        Memory.view(address, Math.min(keyBytes, BYTES_MAX)).toArray(ValueLayout.JAVA_BYTE);
    return HexFormat.of().formatHex(start) + (keyBytes > BYTES_MAX ? "..." : "");
  }
}
