package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/**
 * S3-FIFO (J. Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023): what
 * is new has to prove itself in a tenth of the cache. Who left without having done so is
 * remembered, and proven if it comes back soon.
 *
 * <p>Being asked for once more is no proof, since pages are read piece by piece.
 */
final class S3FifoPolicy implements EvictionPolicy {
  static final int BYTES_PER_SLOT = TwoQueues.BYTES + Long.BYTES + Ghosts.BYTES;

  private static final int YOUNG_PART = 10;
  private static final int MARKS_MAX = 3;
  private static final int MARKS_OF_PROVEN = 2;

  private final TwoQueues queues;

  // Guarded by the cache's lock.
  private final long[] keys;
  private final Ghosts ghosts;

  S3FifoPolicy(ReferenceMarks marks) {
    int slotCount = marks.slotCount();
    this.queues = new TwoQueues(marks, MARKS_MAX, MARKS_OF_PROVEN);
    this.keys = new long[slotCount];
    this.ghosts = new Ghosts(slotCount, 1);
  }

  @Override
  public void admitted(int slot, long key, Priority priority) {
    keys[slot] = key;
    int ghost = ghosts.find(key);
    if (ghost != Ghosts.NONE) {
      ghosts.remove(ghost);
    }
    queues.add(slot, ghost != Ghosts.NONE);
  }

  @Override
  public int victim(IntPredicate mayGo) {
    int youngMax = (queues.youngCount() + queues.provenCount()) / YOUNG_PART;
    return queues.victim(mayGo, youngMax);
  }

  @Override
  public void removed(int slot, boolean evicted) {
    boolean wasProven = queues.remove(slot);
    if (evicted && !wasProven && ghosts.find(keys[slot]) == Ghosts.NONE) {
      if (ghosts.size(0) == keys.length) {
        ghosts.removeOldest(0);
      }
      ghosts.add(0, keys[slot]);
    }
  }
}
