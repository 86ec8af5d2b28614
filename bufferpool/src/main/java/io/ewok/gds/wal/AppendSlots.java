package io.ewok.gds.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * What a thread needs for itself while it appends ({@link LogPlace}), and counters. There are more
 * than threads can run; who finds none free lets others run, since nobody waits for anything while
 * having one, but one at a time for those who have reserved before him.
 *
 * <p>Threads: any. Allocates nothing.
 */
final class AppendSlots {
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  /** Words from one slot's to the next one's, so that they share no cache line. */
  private static final int APART = 16;

  private static final int RECORDS = 1;
  private static final int BYTES = 2;

  private final LogPlace[] slots;

  /**
   * Of each slot whether it is taken, and its counters: written by who has taken it, visible to who
   * reads that it was given back.
   */
  private final long[] words;

  AppendSlots(LogBuffers owner, BlockBuffer[] buffers) {
    int count = Math.max(8, Integer.highestOneBit(4 * Runtime.getRuntime().availableProcessors()));
    slots = new LogPlace[count];
    words = new long[(count + 2) * APART];
    for (int i = 0; i < count; i++) {
      slots[i] =
          new LogPlace(
              owner,
              new ByteBuffer[] {buffers[0].newView(), buffers[1].newView()},
              (i + 1) * APART);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // for those who have a slot, which are at work
  LogPlace take() {
    int first = (int) Thread.currentThread().threadId();
    while (true) {
      for (int i = 0; i < slots.length; i++) {
        LogPlace slot = slots[(first + i) & (slots.length - 1)];
        if ((long) WORD.getOpaque(words, slot.base) == 0
            && WORD.compareAndSet(words, slot.base, 0L, 1L)) {
          return slot;
        }
      }
      Thread.yield();
    }
  }

  /** Counts a record, by who has the slot. */
  void count(LogPlace slot, long recordBytes) {
    words[slot.base + RECORDS]++;
    words[slot.base + BYTES] += recordBytes;
  }

  /** Gives a slot back. The release's partner is the next taker, and stats. */
  void giveBack(LogPlace slot) {
    WORD.setRelease(words, slot.base, 0L);
  }

  /** Records appended, but for those being appended now. */
  long records() {
    return sum(RECORDS);
  }

  /** Their bytes. */
  long recordBytes() {
    return sum(BYTES);
  }

  private long sum(int counter) {
    long sum = 0;
    for (LogPlace slot : slots) {
      long unused = (long) WORD.getAcquire(words, slot.base);
      sum += words[slot.base + counter];
    }
    return sum;
  }
}
