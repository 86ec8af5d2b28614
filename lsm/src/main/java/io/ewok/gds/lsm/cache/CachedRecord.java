package io.ewok.gds.lsm.cache;

import io.ewok.gds.lsm.record.KeyBuffer;
import java.lang.foreign.MemorySegment;

/**
 * A copy of a record that was found in a {@link RecordCache}. Reused, so that gets make no garbage.
 *
 * <p>Ownership: the copy lies in memory of its own until the next one is found; it needs neither
 * the cache nor tables. Threads: confined to one at a time.
 */
public final class CachedRecord {
  private final KeyBuffer value = new KeyBuffer();
  private long stamp;
  private int valueBytes;

  /** Has nothing yet. */
  public CachedRecord() {}

  /** Makes room for a value. Returns where. */
  long begin(long ofStamp, int ofValueBytes) {
    stamp = ofStamp;
    valueBytes = ofValueBytes;
    return value.reserve(ofValueBytes);
  }

  /** Returns its stamp. */
  public long stamp() {
    return stamp;
  }

  /** Returns the length of its value in bytes. */
  public int valueBytes() {
    return valueBytes;
  }

  /** Returns where its value lies. */
  public long valueAddress() {
    return value.address();
  }

  /** Returns its value, read-only. */
  public MemorySegment value() {
    return value.readOnly().asSlice(0, valueBytes);
  }
}
