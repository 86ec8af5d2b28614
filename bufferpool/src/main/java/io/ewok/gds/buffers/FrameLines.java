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
 * <tr><td>3</td><td>how often it was asked for, {@link ReferenceMarks}</td><td>by any thread</td></tr>
 * <tr><td>4</td><td>the next frame in the chain of {@link FrameIndex}, plus one</td>
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

  /** A large array lies at the start of a cache line, and its words come after 16 bytes. */
  private static final int FIRST = 6;

  private static final int KEY = 1;
  private static final int HELD = 2;
  private static final int MARKS = 3;
  private static final int NEXT = 4;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] words;

  /** What lies in each frame, read-only; null before the first was loaded. */
  private final MemorySegment[] views;

  /** Lines of frames that are free, latched exclusively. */
  FrameLines(int frames) {
    this.words = new long[FIRST + frames * LONGS];
    this.views = new MemorySegment[frames];
    for (int frame = 0; frame < frames; frame++) {
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
   * @param frame or -1
   * @param held as {@link CachedFile#held}
   * @return the stamp of its latch; {@link Latch#NO_STAMP} if it does not hold this, or is latched
   *     exclusively
   */
  long look(int frame, long key, long held, Priority priority) {
    if (frame < 0) {
      return Latch.NO_STAMP;
    }
    long[] words = this.words;
    int at = at(frame);
    long stamp = Latch.stamp(words, at); // first: what is read after it is no older
    if (stamp == Latch.NO_STAMP || words[at + KEY] != key || words[at + HELD] != held) {
      return Latch.NO_STAMP;
    }
    if (priority != Priority.LOW) {
      ReferenceMarks.count(words, at + MARKS);
    }
    return stamp;
  }

  /** As {@link Latch#validate}. */
  boolean validate(int frame, long stamp) {
    return Latch.validate(words, at(frame), stamp);
  }

  MemorySegment view(int frame) {
    return views[frame];
  }

  void setView(int frame, MemorySegment readOnly) {
    views[frame] = readOnly;
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
