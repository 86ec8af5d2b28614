package io.ewok.gds.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Records with keys of 16 bytes in no order and values of 100 bytes. */
final class MemtableRecords {
  static final int KEY_BYTES = 16;
  static final int VALUE_BYTES = 100;

  private static final ValueLayout.OfLong BIG_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  final int count;
  private final MemorySegment[] keys;
  private final MemorySegment[] values;

  MemtableRecords(int count) {
    this.count = count;
    keys = new MemorySegment[count];
    values = new MemorySegment[count];
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < count; i++) {
      keys[i] = MemorySegment.ofArray(new byte[KEY_BYTES]);
      keys[i].set(BIG_LONG, 0, random.nextLong());
      keys[i].set(BIG_LONG, Long.BYTES, i);
      values[i] = MemorySegment.ofArray(new byte[VALUE_BYTES]);
      values[i].set(ValueLayout.JAVA_BYTE, 0, (byte) i);
    }
  }

  MemorySegment key(int record) {
    return keys[record];
  }

  MemorySegment value(int record) {
    return values[record];
  }
}
