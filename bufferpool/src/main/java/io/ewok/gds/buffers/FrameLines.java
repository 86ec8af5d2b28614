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
 * <tr><td>5</td><td>the line of the next frame in the chain of {@link FrameIndex}</td>
 *   <td>with the partition's lock</td></tr>
 * </table>
 *
 * <p>Threads: any. What is read without latch and lock may be anything; who read the latch's word
 * before and validates it after knows that it was true.
 */
final class FrameLines {
  private static final int LONGS = 8;

  /**
   * The line of no frame: always latched, so that nobody has to ask whether there is one. Before it
   * hits are counted. A large array lies at the start of a cache line, and its words come after 16
   * bytes.
   */
  static final int NONE = HitCounter.LONGS + 6;

  private static final int FIRST = NONE + LONGS;

  /** So that no pool has more words than an array. */
  static final int FRAMES_MAX = (Integer.MAX_VALUE - FIRST) / LONGS - 1;

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
    for (int line = NONE; line < words.length; line += LONGS) {
      words[line] = Latch.EXCLUSIVE;
      words[line + NEXT] = NONE;
    }
  }

  /** For a frame's {@link Latch}, and with room for a {@link HitCounter} in front. */
  long[] words() {
    return words;
  }

  /** Where the line of a frame begins among the words, which is what methods here call it by. */
  static int line(int frame) {
    return FIRST + frame * LONGS;
  }

  /** The frame whose line that is. */
  static int frame(int line) {
    return (line - FIRST) / LONGS;
  }

  /** How often each of so many frames was asked for. */
  ReferenceMarks marks(int first, int count) {
    return new ReferenceMarks(words, line(first) + MARKS, LONGS, count);
  }

  /**
   * Looks at a frame that may hold this, and counts that it was asked for.
   *
   * @param words of all frames
   * @param line or {@link #NONE}
   * @param held as {@link CachedFile#held}
   * @param into what is told where it is, and of the stamp of its latch
   * @return false if it does not hold this, or is latched exclusively
   */
  static boolean look(long[] words, int line, long key, long held, Fix into) {
    long seen = Latch.look(words, line); // first: what is read after it is no older
    long stamp = Latch.stamp(seen);
    if (!Latch.isStamp(stamp) || ((words[line + KEY] ^ key) | (words[line + HELD] ^ held)) != 0) {
      return false;
    }
    long place = words[line + PLACE];
    mark(words, line, into.priority());
    into.look(line, key, (int) held, place, stamp);
    return true;
  }

  /** Whether a frame holds what it held when its latch had this stamp. If so, counts that, too. */
  boolean lookAgain(int line, long stamp, Priority priority) {
    long[] words = this.words;
    if (!Latch.validate(words, line, stamp)) {
      return false;
    }
    mark(words, line, priority);
    return true;
  }

  /** Counts that what a frame holds was asked for, and not by a scan. */
  void mark(int line, Priority priority) {
    mark(words, line, priority);
  }

  /** The same for whoever has the words of all frames. */
  static void mark(long[] words, int line, Priority priority) {
    if (ReferenceMarks.counts(words, line + MARKS) && priority != Priority.LOW) {
      ReferenceMarks.count(words, line + MARKS);
    }
  }

  /**
   * Latches a frame that may hold this, unless another latch is in the way.
   *
   * @param line or {@link #NONE}
   * @param held as {@link CachedFile#held}
   */
  boolean tryLatch(int line, long key, long held, boolean exclusive) {
    long[] words = this.words;
    long seen = Latch.look(words, line); // first: what is read after it is no older
    while (!Latch.isLatched(seen, exclusive)
        && words[line + KEY] == key
        && words[line + HELD] == held) {
      long found = Latch.tryLatch(words, line, seen, exclusive);
      if (found == seen) {
        return true;
      }
      seen = found;
    }
    return false;
  }

  /**
   * Latches a frame that may hold this, shared, if nobody has it exclusively. Tries once.
   *
   * @param words of all frames
   * @param line or {@link #NONE}
   * @param held as {@link CachedFile#held}
   */
  static boolean tryShare(long[] words, int line, long key, long held) {
    long seen = Latch.look(words, line); // first: what is read after it is no older
    return !Latch.isLatched(seen, false)
        && ((words[line + KEY] ^ key) | (words[line + HELD] ^ held)) == 0
        && Latch.tryLatch(words, line, seen, false) == seen;
  }

  /** The same of what has any length. */
  static boolean tryShare(long[] words, int line, long key, CachedFile file) {
    long seen = Latch.look(words, line); // first: what is read after it is no older
    return !Latch.isLatched(seen, false)
        && holds(words, line, file, key)
        && Latch.tryLatch(words, line, seen, false) == seen;
  }

  /** As {@link Latch#release}. */
  long release(int line, boolean exclusive) {
    return Latch.release(words, line, exclusive);
  }

  /** As {@link Latch#validate}. */
  boolean validate(int line, long stamp) {
    return Latch.validate(words, line, stamp);
  }

  MemorySegment view(int line) {
    return views[frame(line)];
  }

  /** Where what is bound to a frame begins: its partition, and in the low half the offset in it. */
  long place(int line) {
    return place(words, line);
  }

  /** The same for whoever has the words of all frames. */
  static long place(long[] words, int line) {
    return words[line + PLACE];
  }

  /** Says where what is bound to a frame begins. */
  void setView(int line, MemorySegment readOnly, int partition, long regionOffset) {
    views[frame(line)] = readOnly;
    words[line + PLACE] = (long) partition << 32 | regionOffset;
  }

  boolean holds(int line, CachedFile file, long key) {
    return holds(words, line, file, key);
  }

  private static boolean holds(long[] words, int line, CachedFile file, long key) {
    return words[line + KEY] == key && words[line + HELD] >>> 32 == file.held(0) >>> 32;
  }

  /** The length of what is bound to a frame. */
  static int lengthBytes(long[] words, int line) {
    return (int) words[line + HELD];
  }

  void bind(int line, CachedFile file, long key, int lengthBytes) {
    words[line + KEY] = key;
    words[line + HELD] = file.held(lengthBytes);
  }

  void unbind(int line) {
    words[line + HELD] = 0;
  }

  /** Or {@link #NONE}. */
  int next(int line) {
    return (int) (long) WORD.getAcquire(words, line + NEXT);
  }

  void setNext(int line, int next) {
    WORD.setRelease(words, line + NEXT, (long) next);
  }
}
