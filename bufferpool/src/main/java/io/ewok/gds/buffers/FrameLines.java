package io.ewok.gds.buffers;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.buffers.eviction.ReferenceMarks;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What a hit has to know of each frame, a cache line for each. All else is in {@link Frame}.
 *
 * <table>
 * <caption>A line</caption>
 * <tr><th>long</th><th>meaning</th><th>written</th></tr>
 * <tr><td>0</td><td>the word of its {@link Latch}</td><td>by any thread</td></tr>
 * <tr><td>1</td><td>the number of the page, or the offset of the block</td>
 *   <td>latched exclusively, with the partition's lock</td></tr>
 * <tr><td>2</td><td>high half: the number of the file, 0 if nothing is bound; low half: the length in bytes</td>
 *   <td>so, too</td></tr>
 * <tr><td>3</td><td>where the page or block begins: high half, the number of the partition; low half,
 *   the offset in its region</td><td>latched exclusively</td></tr>
 * <tr><td>4</td><td>how often it was asked for, {@link ReferenceMarks}</td><td>by any thread</td></tr>
 * <tr><td>5</td><td>the next frame in the chain of {@link FrameIndex}, plus one</td>
 *   <td>with the partition's lock</td></tr>
 * </table>
 *
 * <p>Threads: any. What is read without latch and lock may be anything; who read the latch's word
 * before and validates it after knows that it was true.
 */
final class FrameLines {
  /** So that no pool has more words than an array. */
  static final int FRAMES_MAX = Integer.MAX_VALUE / 8 - 2;

  private static final int LONGS = 8;

  /**
   * A large array lies at the start of a cache line, and its words come after 16 bytes. The first
   * line is that of no frame, -1: always latched, so that nobody has to ask whether there is one.
   */
  private static final int FIRST = 6 + LONGS;

  private static final int KEY = 1;
  private static final int HELD = 2;
  private static final int PLACE = 3;
  private static final int MARKS = 4;
  private static final int NEXT = 5;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] words;

  /** What lies in each frame, read-only; null before the first was loaded. */
  private final MemorySegment[] views;

  /** Lines of frames that are free, latched exclusively. */
  FrameLines(int frames) {
    this.words = new long[FIRST + frames * LONGS];
    this.views = new MemorySegment[frames];
    for (int frame = -1; frame < frames; frame++) {
      words[at(frame)] = Latch.EXCLUSIVE;
    }
  }

  /** For a frame's {@link Latch}. */
  long[] words() {
    return words;
  }

  static int at(int frame) {
    return FIRST + frame * LONGS;
  }

  /** How often each of so many frames was asked for. */
  ReferenceMarks marks(int first, int count) {
    return new ReferenceMarks(words, at(first) + MARKS, LONGS, count);
  }

  /**
   * Looks at a frame that may hold this, and counts that it was asked for.
   *
   * @param words of all frames
   * @param frame or -1
   * @param held as {@link CachedFile#held}
   * @param into what is told where it is, and of the stamp of its latch
   * @return false if it does not hold this, or is latched exclusively
   */
  static boolean look(long[] words, int frame, long key, long held, PageTable table, Fix into) {
    int at = at(frame);
    long stamp = Latch.stamp(words, at); // first: what is read after it is no older
    if (!Latch.isStamp(stamp) || ((words[at + KEY] ^ key) | (words[at + HELD] ^ held)) != 0) {
      return false;
    }
    long place = words[at + PLACE];
    mark(words, at, into.priority());
    into.look(table, frame, key, (int) held, place, stamp);
    return true;
  }

  /** Whether a frame holds what it held when its latch had this stamp. If so, counts that, too. */
  boolean lookAgain(int frame, long stamp, Priority priority) {
    long[] words = this.words;
    int at = at(frame);
    if (!Latch.validate(words, at, stamp)) {
      return false;
    }
    mark(words, at, priority);
    return true;
  }

  /** Counts that what a frame holds was asked for, and not by a scan. */
  void mark(int frame, Priority priority) {
    mark(words, at(frame), priority);
  }

  private static void mark(long[] words, int at, Priority priority) {
    if (ReferenceMarks.counts(words, at + MARKS) && priority != Priority.LOW) {
      ReferenceMarks.count(words, at + MARKS);
    }
  }

  /**
   * Latches a frame that may hold this, unless another latch is in the way.
   *
   * @param frame or -1
   * @param held as {@link CachedFile#held}
   */
  boolean tryLatch(int frame, long key, long held, boolean exclusive) {
    long[] words = this.words;
    int at = at(frame);
    long seen = Latch.look(words, at); // first: what is read after it is no older
    while (!Latch.isLatched(seen, exclusive)
        && words[at + KEY] == key
        && words[at + HELD] == held) {
      long found = Latch.tryLatch(words, at, seen, exclusive);
      if (found == seen) {
        return true;
      }
      seen = found;
    }
    return false;
  }

  /** As {@link Latch#release}. */
  long release(int frame, boolean exclusive) {
    return Latch.release(words, at(frame), exclusive);
  }

  /** As {@link Latch#validate}. */
  boolean validate(int frame, long stamp) {
    return Latch.validate(words, at(frame), stamp);
  }

  MemorySegment view(int frame) {
    return views[frame];
  }

  /** Where what is bound to a frame begins: its partition, and in the low half the offset in it. */
  long place(int frame) {
    return words[at(frame) + PLACE];
  }

  /** Says where what is bound to a frame begins. */
  void setView(int frame, MemorySegment readOnly, int partition, long regionOffset) {
    views[frame] = readOnly;
    words[at(frame) + PLACE] = (long) partition << 32 | regionOffset;
  }

  boolean holds(int frame, CachedFile file, long key) {
    int at = at(frame);
    return words[at + KEY] == key && words[at + HELD] >>> 32 == file.held(0) >>> 32;
  }

  void bind(int frame, CachedFile file, long key, int lengthBytes) {
    int at = at(frame);
    words[at + KEY] = key;
    words[at + HELD] = file.held(lengthBytes);
  }

  void unbind(int frame) {
    words[at(frame) + HELD] = 0;
  }

  /** Or -1. */
  int next(int frame) {
    return (int) (long) WORD.getAcquire(words, at(frame) + NEXT) - 1;
  }

  void setNext(int frame, int next) {
    WORD.setRelease(words, at(frame) + NEXT, next + 1L);
  }
}
