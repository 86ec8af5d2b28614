package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BufferManager;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The hints of all tables in a pool, but for those of their roots. They are on the heap, which no
 * budget knows, so there are only so many: for each new one the oldest goes. One that is missed
 * then is made anew.
 *
 * <p>Threads: any.
 */
public final class BlockHints {
  /** What index partitions and filters are read through has several times their size. */
  private static final int POOL_BYTES_PER_HINT = 64 << 10;

  private static final int COUNT_MIN = 64;
  private static final int COUNT_MAX = 1 << 20;

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

  /** Puts a new hint where it will be looked for. */
  void put(BlockHint hint, AtomicReferenceArray<BlockHint> home, int place) {
    hint.home = home;
    hint.place = place;
    home.set(place, hint);
    BlockHint oldest = ring.getAndSet(Math.floorMod(next.getAndIncrement(), ring.length()), hint);
    if (oldest != null) {
      oldest.home.compareAndSet(oldest.place, oldest, null);
    }
  }
}
