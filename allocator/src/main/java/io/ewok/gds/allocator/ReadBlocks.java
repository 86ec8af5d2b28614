package io.ewok.gds.allocator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The state of the bump blocks of a {@link ReadArena}, out of band and without a lock. A block
 * serves pages of one size at a time; within one life no page of it is issued twice, so a life, a
 * generation, is enough to tell old handles from new.
 *
 * <pre>
 *   CLOSED --open--&gt; OPEN --seal--&gt; SEALED --last use ends--&gt; CLOSED
 *                     |  allocate                               ^
 *                     '-- seal or closeIfIdle, without uses ----'
 * </pre>
 *
 * <p>Uses are the live pages, the operations in flight, and a release while it is at work. A block
 * with a use is not closed, so nothing of it is issued anew or given back.
 *
 * <p>Threads: any. {@link #open} is called by whoever has the closed block for himself: its opener,
 * or the one thread whose call closed it.
 */
final class ReadBlocks {
  static final int BLOCK_BYTES = 256 << 10;

  /** What the end of a use leaves behind. */
  enum After {
    /** Nothing that matters to anybody else. */
    IN_USE,
    /** The block is open and has no uses. */
    IDLE,
    /** The block is closed and the caller's. */
    CLOSED
  }

  /*
   * One word per block, changed by compare-and-set alone:
   *
   *   63..32 generation, raised by open, never 0
   *   31     size: 0 for pages of 512 bytes, 1 for 4096
   *   30..29 phase
   *   28..19 next: index of the first page never issued
   *   18..0  uses
   *
   * and a bit per page, set while it is live. An allocation counts its uses first and sets the bits
   * then, before anybody has the handle; a release clears the bits first. So a block without uses
   * has no bits set, and open finds them clear.
   */
  private static final int CLOSED = 0;
  private static final int OPEN = 1;
  private static final int SEALED = 2;
  private static final int PHASE_SHIFT = 29;
  private static final int NEXT_SHIFT = 19;
  private static final long USES_MASK = (1L << NEXT_SHIFT) - 1;

  private static final int PAGES_MAX = BLOCK_BYTES / 512;
  private static final int WORDS = PAGES_MAX / Long.SIZE;
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] states;
  private final long[] live;

  /**
   * @param generation what the first life of each block comes after
   */
  ReadBlocks(int count, int generation) {
    states = new long[count];
    live = new long[count * WORDS];
    for (int i = 0; i < count; i++) {
      states[i] = (long) generation << 32;
    }
  }

  // ---------------------------------------------------------------- the word

  private static int phase(long state) {
    return (int) (state >>> PHASE_SHIFT) & 3;
  }

  private static int size(long state) {
    return (int) (state >>> 31) & 1;
  }

  private static int next(long state) {
    return (int) (state >>> NEXT_SHIFT) & 0x3ff;
  }

  private static int uses(long state) {
    return (int) (state & USES_MASK);
  }

  private static long withPhase(long state, int phase) {
    return (state & ~(3L << PHASE_SHIFT)) | ((long) phase << PHASE_SHIFT);
  }

  private long state(int block) {
    return (long) LONGS.getVolatile(states, block);
  }

  private boolean change(int block, long from, long to) {
    return LONGS.compareAndSet(states, block, from, to);
  }

  static int pageBytes(int size) {
    return size == 0 ? 512 : 4096;
  }

  private static int generation(long state) {
    return (int) (state >>> 32);
  }

  // ---------------------------------------------------------------- lives

  /** Begins a new life of a closed block that is the caller's. */
  void open(int block, int size) {
    int generation = generation(state(block)) + 1;
    if (generation == 0) {
      generation = 1;
    }
    LONGS.setVolatile(
        states, block, (long) generation << 32 | (long) size << 31 | (long) OPEN << PHASE_SHIFT);
  }

  /** Issues nothing more of an open block. Returns whether that closed it. */
  boolean seal(int block) {
    while (true) {
      long state = state(block);
      if (phase(state) != OPEN) {
        return false;
      }
      boolean closes = uses(state) == 0;
      if (change(block, state, withPhase(state, closes ? CLOSED : SEALED))) {
        return closes;
      }
    }
  }

  /**
   * Closes an open block if it has no uses. Returns whether it did; then the block is the caller's.
   */
  boolean closeIfIdle(int block) {
    long state = state(block);
    return isIdle(state) && change(block, state, withPhase(state, CLOSED));
  }

  boolean isIdle(int block) {
    return isIdle(state(block));
  }

  private static boolean isIdle(long state) {
    return phase(state) == OPEN && uses(state) == 0;
  }

  /** Ends every life, when nothing may be used any more. */
  void closeAll() {
    for (int block = 0; block < states.length; block++) {
      LONGS.setVolatile(states, block, withPhase(state(block), CLOSED) & ~USES_MASK);
    }
  }

  /** Returns the highest generation of all blocks, unsigned. */
  int highestGeneration() {
    int highest = 0;
    for (int block = 0; block < states.length; block++) {
      int generation = generation(state(block));
      highest = Integer.compareUnsigned(generation, highest) > 0 ? generation : highest;
    }
    return highest;
  }

  int count() {
    return states.length;
  }

  // ---------------------------------------------------------------- pages

  /**
   * Issues neighbouring pages of an open block. They lie within 64 pages, so that one word holds
   * their bits.
   *
   * @return generation (high half) and index of the first page; or 0 if the block is not open for
   *     this size or has no room
   */
  long allocate(int block, int size, int pages) {
    int count = BLOCK_BYTES / pageBytes(size);
    while (true) {
      long state = state(block);
      int first = next(state);
      if (first / Long.SIZE != (first + pages - 1) / Long.SIZE) {
        first = (first + pages - 1) & -Long.SIZE;
      }
      if (phase(state) != OPEN || size(state) != size || first + pages > count) {
        return 0;
      }
      long after = state + ((long) (first + pages - next(state)) << NEXT_SHIFT) + pages;
      if (change(block, state, after)) {
        LONGS.getAndBitwiseOr(live, word(block, first), mask(first, pages));
        return (long) generation(state) << 32 | first;
      }
    }
  }

  private static int word(int block, int page) {
    return block * WORDS + page / Long.SIZE;
  }

  private static long mask(int first, int pages) {
    return ((1L << pages) - 1) << first;
  }

  /**
   * Returns the size of live pages, 0 or 1.
   *
   * @return -1 if not all of them are live in this generation
   */
  int liveSize(int block, int generation, int first, int pages) {
    long state = state(block);
    long mask = mask(first, pages);
    boolean isLive =
        generation(state) == generation
            && phase(state) != CLOSED
            && ((long) LONGS.getVolatile(live, word(block, first)) & mask) == mask;
    return isLive ? size(state) : -1;
  }

  // ---------------------------------------------------------------- uses

  /**
   * Begins a use: it keeps the block in this life until {@link #endUses}, so that a stale handle
   * does not reach into the next one.
   *
   * @return false if this is not the generation of the block, or it is closed
   */
  boolean beginUse(int block, int generation) {
    while (true) {
      long state = state(block);
      if (generation(state) != generation || !isUsable(state)) {
        return false;
      }
      if (change(block, state, state + 1)) {
        return true;
      }
    }
  }

  /** Begins a use of whatever life the block is in. */
  boolean beginUse(int block) {
    while (true) {
      long state = state(block);
      if (!isUsable(state)) {
        return false;
      }
      if (change(block, state, state + 1)) {
        return true;
      }
    }
  }

  private static boolean isUsable(long state) {
    return phase(state) != CLOSED && uses(state) < USES_MASK - PAGES_MAX;
  }

  /**
   * Ends the life of those of some pages that are live. For who has a use of the block; the uses of
   * the pages themselves remain, to be ended by the caller too.
   *
   * @return how many pages were live
   */
  int clear(int block, int first, int pages) {
    long mask = mask(first, pages);
    return Long.bitCount((long) LONGS.getAndBitwiseAnd(live, word(block, first), ~mask) & mask);
  }

  /** Returns whether bytes of a block are all of live pages. For who has a use of the block. */
  boolean areLive(int block, long offset, long bytes) {
    int pageBytes = pageBytes(size(state(block)));
    int last = (int) ((offset + bytes - 1) / pageBytes);
    for (int page = (int) (offset / pageBytes); page <= last; page++) {
      if (((long) LONGS.getVolatile(live, word(block, page)) & mask(page, 1)) == 0) {
        return false;
      }
    }
    return true;
  }

  /** Ends uses; the last one closes a sealed block. */
  After endUses(int block, int count) {
    while (true) {
      long state = state(block);
      long after = state - count;
      boolean last = uses(after) == 0;
      boolean closes = last && phase(state) == SEALED;
      if (change(block, state, closes ? withPhase(after, CLOSED) : after)) {
        return closes ? After.CLOSED : last ? After.IDLE : After.IN_USE;
      }
    }
  }

  // ---------------------------------------------------------------- gauges

  /** What the blocks serve; each is looked at once, none is stopped. */
  record Census(
      long smallPages, long largePages, int smallBlocks, int largeBlocks, int blocksKeptByIo) {}

  Census census() {
    long[] pages = new long[2];
    int[] serving = new int[2];
    int keptByIo = 0;
    for (int block = 0; block < states.length; block++) {
      long state = state(block);
      if (phase(state) != CLOSED) {
        int live = livePages(block);
        pages[size(state)] += live;
        serving[size(state)]++;
        keptByIo += live == 0 && uses(state) > 0 ? 1 : 0;
      }
    }
    return new Census(pages[0], pages[1], serving[0], serving[1], keptByIo);
  }

  private int livePages(int block) {
    int count = 0;
    for (int word = 0; word < WORDS; word++) {
      count += Long.bitCount((long) LONGS.getVolatile(live, block * WORDS + word));
    }
    return count;
  }
}
