package io.ewok.gds.ffm.unchecked;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MemoryTest {

  private static final long SEED = 20_260_101;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment memory = arena.allocate(4096, 64);
  private final long address = memory.address();

  @AfterEach
  void close() {
    arena.close();
  }

  private byte[] bytes(int length) {
    return memory.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void valuesAreLittleEndianAtAnyAddress() {
    Memory.putByte(address, (byte) 1);
    Memory.putShort(address + 1, (short) 0x0302);
    Memory.putInt(address + 3, 0x07060504);
    Memory.putLong(address + 7, 0x0f0e0d0c0b0a0908L);
    assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, bytes(15));
    assertEquals(1, Memory.getByte(address));
    assertEquals(0x0302, Memory.getShort(address + 1));
    assertEquals(0x07060504, Memory.getInt(address + 3));
    assertEquals(0x0f0e0d0c0b0a0908L, Memory.getLong(address + 7));
  }

  @Test
  void orderedFormsAreLittleEndianToo() {
    Memory.putIntRelease(address, 0x04030201);
    Memory.putLongRelease(address + 8, 0x0807060504030201L);
    assertArrayEquals(new byte[] {1, 2, 3, 4, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, bytes(16));
    assertEquals(0x04030201, Memory.getIntAcquire(address));
    assertEquals(0x0807060504030201L, Memory.getLongAcquire(address + 8));
  }

  @Test
  void compareAndSetChangesOnlyTheExpectedValue() {
    assertTrue(Memory.compareAndSetInt(address, 0, 0x01020304));
    assertFalse(Memory.compareAndSetInt(address, 0, 5));
    assertEquals(0x01020304, Memory.getInt(address));
    assertTrue(Memory.compareAndSetLong(address + 8, 0, -2));
    assertFalse(Memory.compareAndSetLong(address + 8, 0, 5));
    assertEquals(-2, Memory.getLong(address + 8));
  }

  @Test
  void orderedFormsNeedTheirAlignment() {
    assertThrows(RuntimeException.class, () -> Memory.getIntAcquire(address + 1));
    assertThrows(RuntimeException.class, () -> Memory.putLongRelease(address + 4, 1));
  }

  @Test
  void releasedWritesAreSeenByTheAcquirer() throws Exception {
    Arena shared = Arena.ofShared();
    try (shared) {
      long flag = shared.allocate(64, 64).address();
      int rounds = 20_000;
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int round = 1; round <= rounds; round++) {
                      Memory.putLong(flag + 16, round);
                      Memory.putIntRelease(flag, round);
                      while (Memory.getIntAcquire(flag + 8) != round) {
                        Thread.onSpinWait();
                      }
                    }
                  });
      for (int round = 1; round <= rounds; round++) {
        while (Memory.getIntAcquire(flag) != round) {
          Thread.onSpinWait();
        }
        assertEquals(round, Memory.getLong(flag + 16));
        Memory.putIntRelease(flag + 8, round);
      }
      writer.join();
    }
  }

  @Test
  void copiesMoveExactlyTheRangeAndMayOverlap() {
    Memory.copyFrom(MemorySegment.ofArray(new byte[] {9, 1, 2, 3, 4, 9}), 1, address, 4);
    assertArrayEquals(new byte[] {1, 2, 3, 4, 0}, bytes(5));
    Memory.copy(address, address + 1, 4);
    assertArrayEquals(new byte[] {1, 1, 2, 3, 4, 0}, bytes(6));
    byte[] target = new byte[4];
    Memory.copyTo(address + 2, MemorySegment.ofArray(target), 1, 2);
    assertArrayEquals(new byte[] {0, 2, 3, 0}, target);
    Memory.fill(address + 1, 2, (byte) 7);
    assertArrayEquals(new byte[] {1, 7, 7, 3}, bytes(4));
  }

  @Test
  void theSegmentsSideOfACopyIsChecked() {
    MemorySegment four = MemorySegment.ofArray(new byte[4]);
    assertThrows(IndexOutOfBoundsException.class, () -> Memory.copyFrom(four, 1, address, 4));
    assertThrows(IndexOutOfBoundsException.class, () -> Memory.copyTo(address, four, 0, 5));
  }

  @Test
  void viewIsBounded() {
    Memory.putByte(address + 3, (byte) 5);
    MemorySegment view = Memory.view(address, 4);
    assertEquals(address, view.address());
    assertEquals(5, view.get(ValueLayout.JAVA_BYTE, 3));
    assertThrows(IndexOutOfBoundsException.class, () -> view.get(ValueLayout.JAVA_BYTE, 4));
  }

  @Test
  void comparisonAgreesWithThatOfArrays() {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 200_000; round++) {
      byte[] a = new byte[random.nextInt(160)];
      byte[] b = new byte[random.nextInt(160)];
      random.nextBytes(a);
      // Mostly equal at first, because two random strings differ in their first byte.
      int common = random.nextInt(Math.min(a.length, b.length) + 1);
      random.nextBytes(b);
      System.arraycopy(a, 0, b, 0, common);
      long addressA = address + random.nextInt(8);
      long addressB = address + 1024 + random.nextInt(8);
      Memory.copyFrom(MemorySegment.ofArray(a), 0, addressA, a.length);
      Memory.copyFrom(MemorySegment.ofArray(b), 0, addressB, b.length);
      assertEquals(
          Integer.signum(Arrays.compareUnsigned(a, b)),
          Integer.signum(Memory.compareUnsigned(addressA, a.length, addressB, b.length)),
          "seed=" + SEED + " round=" + round);
      assertEquals(
          Integer.signum(Arrays.compareUnsigned(a, b)),
          Integer.signum(Memory.compareUnsigned(addressA, a.length, MemorySegment.ofArray(b))),
          "seed=" + SEED + " round=" + round);
    }
  }

  @Test
  void aPrefixComesBeforeWhatItBegins() {
    assertTrue(Memory.compareUnsigned(address, 0, address, 1) < 0);
    assertTrue(Memory.compareUnsigned(address, 300, address, 299) > 0);
    assertEquals(0, Memory.compareUnsigned(address, 300, address + 512, 300));
    assertEquals(0, Memory.compareUnsigned(address, 0, address, 0));
  }
}
