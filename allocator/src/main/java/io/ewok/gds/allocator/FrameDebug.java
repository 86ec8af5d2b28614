package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * What a {@link FramePool} does when {@link DebugLetters} are on. There are no red zones: a frame
 * lies at a multiple of its size, and frames of a run are neighbours.
 *
 * <p>Threads: confined to the owner of the pool.
 */
final class FrameDebug {
  private final FramePool pool;
  private final DebugLetters letters;
  private final FreeFrames free;

  /** Frames that are free, or in quarantine, and hold {@link Poison#FREED}. */
  private final BitSet poisoned = new BitSet();

  /** Frames by their index plus one. Always empty if that letter is off. */
  private final Quarantine quarantine = new Quarantine();

  /** By frame: the handle it was last allocated under, also as part of a run. */
  private final long[] lastHandle;

  /** By frame; null if sites are off. */
  private final AllocationSite[] allocatedAt;

  /** By frame, if it is not live; null if sites are off. */
  private final AllocationSite[] freedAt;

  private long allocations;

  /** Not told yet, or null. */
  private MemoryCorruptionException found;

  FrameDebug(FramePool pool, DebugLetters letters, FreeFrames free, int frameCount) {
    this.pool = pool;
    this.letters = letters;
    this.free = free;
    this.lastHandle = new long[frameCount];
    this.allocatedAt = letters.sites() ? new AllocationSite[frameCount] : null;
    this.freedAt = letters.sites() ? new AllocationSite[frameCount] : null;
  }

  /** Counts an allocation and returns whether it is the one that fails. */
  boolean fails() {
    allocations++;
    return allocations == letters.failAt();
  }

  /**
   * Looks at frames that are to be allocated.
   *
   * @return false if there is something to {@link #raise}
   */
  boolean verify(int index, int frames) {
    for (int frame = index; frame < index + frames; frame++) {
      verify(frame);
    }
    return found == null;
  }

  private void verify(int frame) {
    MemorySegment memory = memory(frame);
    long offset = poisoned.get(frame) ? Poison.FREED.firstWrong(memory) : -1;
    if (offset >= 0) {
      poisoned.clear(frame);
      found =
          MemoryCorruptionException.join(
              found,
              new MemoryCorruptionException(
                  "a frame was written after it had been freed",
                  pool,
                  sites(frame),
                  "handle=0x%x frame=%d".formatted(lastHandle[frame], frame),
                  offset,
                  Poison.FREED,
                  memory.get(ValueLayout.JAVA_BYTE, offset)));
    }
  }

  /** Frames are the caller's from now on. */
  void allocated(int index, int frames, long handle) {
    AllocationSite site = letters.sites() ? AllocationSite.here() : null;
    for (int frame = index; frame < index + frames; frame++) {
      lastHandle[frame] = handle;
      if (site != null) {
        allocatedAt[frame] = site;
        freedAt[frame] = null;
      }
      if (letters.poison()) {
        poisoned.clear(frame);
        Poison.ALLOCATED.fill(memory(frame));
      }
    }
  }

  /** Frames are the caller's no more. */
  void freed(int index, int frames) {
    if (letters.sites()) {
      AllocationSite site = AllocationSite.here();
      for (int frame = index; frame < index + frames; frame++) {
        freedAt[frame] = site;
      }
    }
  }

  /** A frame is under I/O no more either. */
  void release(int frame) {
    if (letters.poison()) {
      Poison.FREED.fill(memory(frame));
      poisoned.set(frame);
    }
    if (!letters.quarantine()) {
      free.add(frame);
      return;
    }
    quarantine.add(frame + 1, pool.frameBytes());
    for (long oldest = quarantine.takeExcess();
        oldest != Quarantine.NONE;
        oldest = quarantine.takeExcess()) {
      readmit((int) oldest - 1);
    }
  }

  /** Lets all frames out of quarantine: there is no room without them. */
  void endQuarantine() {
    for (long oldest = quarantine.takeOldest();
        oldest != Quarantine.NONE;
        oldest = quarantine.takeOldest()) {
      readmit((int) oldest - 1);
    }
  }

  private void readmit(int frame) {
    verify(frame);
    free.add(frame);
  }

  /** Returns how many frames are in quarantine. */
  int quarantined() {
    return quarantine.count();
  }

  /** Throws what was found since the last call, if anything. */
  void raise() {
    MemoryCorruptionException told = found;
    if (told != null) {
      found = null;
      throw told;
    }
  }

  /** Returns where the frames of a run were allocated, null if that is not known. */
  AllocationSite allocatedAt(int index) {
    return allocatedAt == null ? null : allocatedAt[index];
  }

  /** Returns what is known of the end of a handle, for the message of an error. */
  String toldOf(long handle, int index) {
    return index < lastHandle.length && lastHandle[index] == handle ? sites(index) : "";
  }

  private String sites(int frame) {
    return allocatedAt == null ? "" : AllocationSite.told(allocatedAt[frame], freedAt[frame]);
  }

  private MemorySegment memory(int frame) {
    return pool.region().segment().asSlice((long) frame * pool.frameBytes(), pool.frameBytes());
  }
}
