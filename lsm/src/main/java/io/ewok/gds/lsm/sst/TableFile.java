package io.ewok.gds.lsm.sst;

import java.nio.file.Path;
import java.util.Arrays;

/**
 * A table to be imported, and what the manifest of its database says of it.
 *
 * @param sequenceMax the newest sequence number in it; -1 if there is no manifest, or it does not
 *     say
 * @param boundsOrNull what ranges that it deletes are cut down to; null without a manifest
 */
record TableFile(Path path, long sequenceMax, Bounds boundsOrNull) {
  /** The keys of a table: from the first one on, up to but without the end. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared or hashed.
  record Bounds(byte[] first, byte[] end) {
    /** Of the internal keys that a manifest has, at least 8 bytes each. */
    static Bounds of(byte[] smallest, byte[] largest) {
      byte[] last = SstFormat.userKey(largest, largest.length);
      boolean ends =
          SstFormat.kind(SstFormat.suffix(largest, largest.length)) == SstFormat.RANGE_DELETE;
      // The next key after one in bytewise order is the same with a zero behind it.
      return new Bounds(
          SstFormat.userKey(smallest, smallest.length),
          ends ? last : Arrays.copyOf(last, last.length + 1));
    }
  }
}
