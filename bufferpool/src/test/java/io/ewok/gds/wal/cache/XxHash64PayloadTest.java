package io.ewok.gds.wal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class XxHash64PayloadTest {
  /** Of the reference implementation, seed 0. */
  @Test
  void hashIsXxHash64() {
    assertEquals(0xef46db3751d8e999L, hash(""));
    assertEquals(0xd24ec4f1a98c6e5bL, hash("a"));
    assertEquals(0x44bc2cf5ad770999L, hash("abc"));
  }

  private static long hash(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return XxHash64Payload.hash(MemorySegment.ofArray(bytes), 0, bytes.length);
  }

  @Test
  void anyFlippedBitIsFound() {
    try (Arena arena = Arena.ofConfined()) {
      for (int payload = 0; payload < 70; payload++) {
        MemorySegment record = arena.allocate(XxHash64Payload.HASH_BYTES + payload);
        record.asSlice(XxHash64Payload.HASH_BYTES).fill((byte) payload);
        XxHash64Payload.seal(record);
        ByteBuffer view = record.asByteBuffer();
        assertTrue(XxHash64Payload.CHECK.isValid(record));
        for (int bit = 0; bit < view.capacity() * Byte.SIZE; bit++) {
          int at = bit / Byte.SIZE;
          view.put(at, (byte) (view.get(at) ^ 1 << bit % Byte.SIZE));
          assertFalse(XxHash64Payload.CHECK.isValid(record));
          view.put(at, (byte) (view.get(at) ^ 1 << bit % Byte.SIZE));
        }
      }
    }
  }

  @Test
  void recordWithoutRoomForAHashIsNotValid() {
    assertFalse(XxHash64Payload.CHECK.isValid(MemorySegment.ofArray(new byte[7])));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> XxHash64Payload.seal(MemorySegment.ofArray(new byte[7])));
  }
}
