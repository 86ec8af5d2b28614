package io.ewok.gds.allocator;

import io.ewok.gds.allocator.BumpArena.Mark;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a {@link BumpArena} does when {@link DebugLetters} are on: it has no block of its own, so
 * that every allocation comes here, and is served from another arena.
 *
 * <p>With poison, all memory of that arena is {@link Poison#FREED} that has been used and is not
 * allocated.
 *
 * <p>Threads: confined to the owner of the arena.
 */
final class BumpDebug {
  private final BumpArena plain;
  private final ArenaMemory memory;
  private final DebugLetters letters;
  private final RedZones zones;

  /** The marks that are not stale, innermost first. */
  private final Deque<Marked> marks = new ArrayDeque<>();

  private long allocations;

  /** A mark, and how many red zones there were. */
  private record Marked(Mark mark, int zones) {}

  BumpDebug(BumpArena plain, ArenaMemory memory, DebugLetters letters) {
    this.plain = plain;
    this.memory = memory;
    this.letters = letters;
    this.zones = new RedZones(memory, letters);
  }

  long allocate(long bytes, long alignmentBytes) {
    allocations++;
    if (allocations == letters.failAt()) {
      throw memory.refusal(bytes);
    }
    long zoneBytes = zones.zoneBytes(bytes);
    long address = plain.allocateAligned(bytes + zoneBytes, alignmentBytes);
    if (letters.poison()) {
      MemorySegment allocated = memory.segment(address, bytes + zoneBytes);
      MemorySegment used = allocated.asSlice(0, plain.usedBytes(address, bytes + zoneBytes));
      long offset = Poison.FREED.firstWrong(used);
      byte actual = offset < 0 ? 0 : used.get(ValueLayout.JAVA_BYTE, offset);
      Poison.ALLOCATED.fill(allocated);
      if (offset >= 0) {
        throw new MemoryCorruptionException(
            "memory was written after it had been given up",
            plain,
            "",
            "address=0x%x bytes=%d".formatted(address, bytes),
            offset,
            Poison.FREED,
            actual);
      }
    }
    zones.add(address, bytes);
    return address;
  }

  void reset() {
    MemoryCorruptionException found = zones.verify(0, plain);
    marks.clear();
    plain.reset();
    poisonFree();
    raise(found);
  }

  Mark mark() {
    Mark mark = plain.mark();
    if (marks.isEmpty() || marks.getFirst().mark != mark) {
      marks.addFirst(new Marked(mark, zones.count()));
    }
    return mark;
  }

  void rewind(Mark mark) {
    // Refuses a stale one, with nothing changed.
    plain.rewind(mark);
    while (marks.getFirst().mark != mark) {
      marks.removeFirst();
    }
    MemoryCorruptionException found = zones.verify(marks.getFirst().zones, plain);
    poisonFree();
    raise(found);
  }

  private void poisonFree() {
    if (letters.poison()) {
      plain.fillFree(Poison.FREED);
    }
  }

  /** Returns what is wrong in memory that is about to go, or null. */
  MemoryCorruptionException verify() {
    try {
      return zones.verify(0, plain);
    } catch (IllegalStateException gone) {
      // The allocator that the memory is from was closed first. Freeing the cells will say so.
      return null;
    }
  }

  private static void raise(MemoryCorruptionException found) {
    if (found != null) {
      throw found;
    }
  }
}
