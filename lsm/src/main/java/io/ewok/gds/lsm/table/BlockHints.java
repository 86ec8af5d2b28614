package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BufferManager;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The hints of all tables in a pool, but for those of their roots. They are on the heap, which no
 * budget knows, so there are only so many: for each new one the oldest goes. Where more are wanted
 * than there may be, they would come and go with each read, and be so much garbage: so only some of
 * those that are missed are made then, and the others done without.
 *
 * <p>Threads: any.
 */
public final class BlockHints {
  /** What index partitions and filters are read through has several times their size. */
  private static final int POOL_BYTES_PER_HINT = 64 << 10;

  private static final int COUNT_MIN = 64;
  private static final int COUNT_MAX = 1 << 20;

  /** One in so many that are missed is made where another one has to go for it. */
  private static final int MADE_SHARE = 32;

  /** The last ones that were made; some were replaced since, or their table closed. */
  private final AtomicReferenceArray<BlockHint> ring;

  private final AtomicInteger next = new AtomicInteger();

  /** For the tables of a pool. */
  public BlockHints(BufferManager buffers) {
    this(Math.clamp(buffers.options().poolBytes() / POOL_BYTES_PER_HINT, COUNT_MIN, COUNT_MAX));
  }

  /** Keeps at most so many. */
  BlockHints(int countMax) {
    ring = new AtomicReferenceArray<>(countMax);
  }

  /**
   * Whether a hint that is missed should be made.
   *
   * @param missed how many the reader has missed
   */
  boolean isWanted(int missed) {
    return missed % MADE_SHARE == 0
        || ring.getPlain(Math.floorMod(next.getPlain(), ring.length())) == null;
  }

  /**
   * Puts a new hint where it will be looked for.
   *
   * @param staleOrNull what is there, of the same block, which was somewhere else then
   */
  void put(BlockHint hint, BlockHint staleOrNull, AtomicReferenceArray<BlockHint> home, int place) {
    hint.home = home;
    hint.place = place;
    if (staleOrNull != null) {
      hint.number = staleOrNull.number;
      if (ring.compareAndSet(hint.number, staleOrNull, hint)) {
        home.set(place, hint);
        return;
      }
    }
    hint.number = Math.floorMod(next.getAndIncrement(), ring.length());
    home.set(place, hint);
    BlockHint oldest = ring.getAndSet(hint.number, hint);
    if (oldest != null) {
      oldest.home.compareAndSet(oldest.place, oldest, null);
    }
  }
}
