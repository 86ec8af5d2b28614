package io.ewok.gds.wal.cache;

import com.dynatrace.hash4j.hashing.ByteAccess;
import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Records that carry the xxHash64 of their payload, from whoever made it to whoever reads it: the
 * first 8 bytes of a record, little-endian, seed 0; the payload follows.
 *
 * <p>The hash is that of the library hash4j, {@code com.dynatrace.hash4j:hash4j}, which whoever
 * uses this class brings along.
 *
 * <p>Threads: any.
 *
 * <pre>{@code
 * XxHash64Payload.seal(record); // before it is appended
 * LogCursor cursor = cache.open(lsn, LogDurability.SYNCED, XxHash64Payload.CHECK);
 * }</pre>
 */
public final class XxHash64Payload {
  /** Bytes of the hash. */
  public static final int HASH_BYTES = Long.BYTES;

  /** Refuses records whose payload has another hash than they carry. */
  public static final PayloadCheck CHECK = XxHash64Payload::isSealed;

  private static final ValueLayout.OfLong HASH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final Hasher64 HASHER = Hashing.xxh64();
  private static final ByteAccess<MemorySegment> SEGMENTS =
      ByteAccess.forMemorySegment(MemorySegment.class);

  private XxHash64Payload() {}

  /**
   * Writes the hash of a record's payload to its first 8 bytes.
   *
   * @throws IndexOutOfBoundsException if the record has fewer bytes than that
   */
  public static void seal(MemorySegment record) {
    long payloadBytes = record.byteSize() - HASH_BYTES;
    record.set(HASH, 0, payloadBytes < 0 ? 0 : hash(record, HASH_BYTES, payloadBytes));
  }

  /** Returns the xxHash64 of a part of a segment. */
  static long hash(MemorySegment bytes, long offset, long length) {
    return HASHER.hashBytesToLong(bytes, offset, length, SEGMENTS);
  }

  private static boolean isSealed(MemorySegment record) {
    long payloadBytes = record.byteSize() - HASH_BYTES;
    return payloadBytes >= 0 && record.get(HASH, 0) == hash(record, HASH_BYTES, payloadBytes);
  }
}
