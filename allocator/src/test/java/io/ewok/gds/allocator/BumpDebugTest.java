package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** What bump arenas find when letters are on. */
class BumpDebugTest {
  private static final byte FREED = (byte) 0xdd;
  private static final byte ALLOCATED = (byte) 0xa5;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  private BumpArena arena(String letters) {
    return new BumpArena(budget, 4096, DebugLetters.parse(letters));
  }

  private ConcurrentBumpArena concurrent(String letters) {
    return new ConcurrentBumpArena(budget, 4096, DebugLetters.parse(letters));
  }

  private static long allocateHere(BumpArena arena, long bytes) {
    return arena.allocate(bytes);
  }

  // ---- R

  /** Writes a byte behind an allocation, and then does something with arena and mark before it. */
  private String foundBy(BiConsumer<BumpArena, BumpArena.Mark> action) {
    BumpArena arena = arena("RT");
    BumpArena.Mark mark = arena.mark();
    arena.allocate(10);
    long address = allocateHere(arena, 100);
    arena.allocate(10);
    Memory.putByte(address + 103, (byte) 7);
    MemoryCorruptionException e =
        assertThrows(MemoryCorruptionException.class, () -> action.accept(arena, mark));
    arena.close();
    assertEquals(0, budget.usedBytes());
    String message = e.getMessage();
    assertTrue(message.contains("address=0x%x bytes=100 ".formatted(address)), message);
    return message;
  }

  @Test
  void writeBehindAnAllocationIsFoundWhenItGoes() {
    List<String> messages =
        List.of(
            foundBy((arena, mark) -> arena.reset()),
            foundBy(BumpArena::rewind),
            foundBy((arena, mark) -> arena.close()));
    for (String message : messages) {
      assertTrue(message.startsWith("the bytes behind an allocation were written in bump arena"));
      assertTrue(
          message.contains("allocated at " + getClass().getName() + ".allocateHere"), message);
      assertTrue(message.endsWith("offset=103 expected=0xbb actual=0x07"), message);
    }
  }

  @Test
  void theFirstAndTheLastByteOfTheZoneAreWatched() {
    for (int offset : new int[] {0, 15}) {
      BumpArena arena = arena("R");
      long address = arena.allocateAligned(24, 64);
      Memory.putByte(address + 24 + offset, (byte) 0);
      assertThrows(MemoryCorruptionException.class, arena::reset);
      arena.close();
    }
  }

  @Test
  void whatIsAllocatedBeforeTheMarkIsNotLookedAtByARewind() {
    BumpArena arena = arena("R");
    long before = arena.allocate(8);
    BumpArena.Mark mark = arena.mark();
    Memory.putByte(before + 8, (byte) 0);
    arena.allocate(8);
    arena.rewind(mark);
    assertThrows(MemoryCorruptionException.class, arena::reset);
    arena.close();
  }

  @Test
  void whatIsAllocatedMayBeWrittenToItsEnd() {
    try (BumpArena arena = arena("RPT")) {
      for (int life = 0; life < 3; life++) {
        for (int bytes = 1; bytes < 5000; bytes += 7) {
          Memory.fill(arena.allocate(bytes), bytes, (byte) life);
          Memory.fill(arena.allocateAligned(bytes, 64), bytes, (byte) life);
          assertEquals(bytes, arena.allocateSegment(bytes, 1).fill((byte) 1).byteSize());
        }
        arena.reset();
      }
    }
  }

  @Test
  void concurrentArenaFindsItWhenItIsClosed() {
    ConcurrentBumpArena arena = concurrent("RT");
    arena.allocateAligned(8);
    long address = arena.allocate(100);
    Memory.putByte(address + 100, (byte) 1);
    MemoryCorruptionException e =
        assertThrows(MemoryCorruptionException.class, () -> arena.close());
    assertTrue(e.getMessage().startsWith("the bytes behind an allocation were written in concurr"));
    assertTrue(e.getMessage().contains(".concurrentArenaFindsIt"), e.getMessage());
    assertTrue(e.getMessage().endsWith("offset=100 expected=0xbb actual=0x01"), e.getMessage());
    assertEquals(0, budget.usedBytes());
    arena.close();
  }

  @Test
  void concurrentArenaStaysZero() {
    try (ConcurrentBumpArena arena = concurrent("RPQT")) {
      for (int bytes = 1; bytes < 5000; bytes += 7) {
        MemorySegment memory = arena.allocateSegment(bytes, 8);
        assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new byte[bytes])));
        memory.fill((byte) 1);
      }
    }
  }

  // ---- P

  @Test
  void newAndGivenUpMemoryHoldsItsPattern() {
    try (BumpArena arena = arena("P")) {
      BumpArena.Mark mark = arena.mark();
      MemorySegment memory = arena.allocateSegment(5000, 8);
      assertEquals(ALLOCATED, memory.get(JAVA_BYTE, 0));
      assertEquals(ALLOCATED, memory.get(JAVA_BYTE, 4999));
      arena.rewind(mark);
      assertEquals(FREED, memory.get(JAVA_BYTE, 0));
      assertEquals(FREED, memory.get(JAVA_BYTE, 4999));
      assertEquals(ALLOCATED, arena.allocateSegment(1, 8).get(JAVA_BYTE, 0));
      arena.reset();
      assertEquals(FREED, memory.get(JAVA_BYTE, 0));
    }
  }

  @Test
  void writeToMemoryThatWasGivenUpIsFoundWhenItIsAllocatedAgain() {
    for (boolean byRewind : new boolean[] {false, true}) {
      try (BumpArena arena = arena("P")) {
        BumpArena.Mark mark = arena.mark();
        arena.allocate(8);
        long gone = arena.allocate(100);
        if (byRewind) {
          arena.rewind(mark);
        } else {
          arena.reset();
        }
        Memory.putByte(gone + 99, (byte) 7);
        arena.allocate(8);
        MemoryCorruptionException e =
            assertThrows(MemoryCorruptionException.class, () -> arena.allocate(100));
        assertTrue(
            e.getMessage()
                .endsWith(
                    "address=0x%x bytes=100 offset=99 expected=0xdd actual=0x07".formatted(gone)),
            e.getMessage());
        arena.allocate(100);
      }
    }
  }

  @Test
  void zeroedMemoryIsZeroNevertheless() {
    try (BumpArena arena = arena("RP")) {
      for (int life = 0; life < 2; life++) {
        for (int bytes = 1; bytes < 5000; bytes += 7) {
          long address = arena.allocateZeroed(bytes, 8);
          MemorySegment memory = arena.segment(address, bytes);
          assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new byte[bytes])));
        }
        arena.reset();
      }
    }
  }

  // ---- F

  @Test
  void theNthAllocationFailsAndNoOther() {
    try (BumpArena arena = arena("F=2");
        ConcurrentBumpArena concurrent = concurrent("F=2")) {
      arena.allocate(8);
      assertThrows(BudgetExceededException.class, () -> arena.allocate(8));
      arena.allocate(8);
      concurrent.allocate(8);
      assertThrows(BudgetExceededException.class, () -> concurrent.allocate(8));
      concurrent.allocate(8);
    }
  }

  // ---- none

  @Test
  void withoutLettersNothingIsAddedOrFilled() {
    try (BumpArena arena = arena("")) {
      long first = arena.allocate(8);
      assertEquals(first + 8, arena.allocate(8));
      assertEquals(0, Memory.getByte(first));
      assertFalse(arena.toString().isEmpty());
    }
  }
}
