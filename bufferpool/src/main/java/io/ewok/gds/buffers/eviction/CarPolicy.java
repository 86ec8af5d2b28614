package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/**
 * CAR (S. Bansal and D. S. Modha, "CAR: Clock with Adaptive Replacement", FAST 2004), the form of
 * ARC in which being asked for moves nothing: how much of the cache is for the young adapts itself.
 * Those that left are remembered; a young one that comes back should have had more time, and a
 * proven one more company.
 */
final class CarPolicy implements EvictionPolicy {
  static final int BYTES_PER_SLOT = TwoQueues.BYTES + Long.BYTES + Ghosts.BYTES;

  private static final int YOUNG = 0;
  private static final int PROVEN = 1;

  private final TwoQueues queues;

  // Guarded by the cache's lock.
  private final long[] keys;
  private final Ghosts ghosts;
  private double youngTarget;

  CarPolicy(ReferenceMarks marks) {
    int slotCount = marks.slotCount();
    this.queues = new TwoQueues(marks, 1, 1);
    this.keys = new long[slotCount];
    this.ghosts = new Ghosts(slotCount, 2);
  }

  @Override
  public void admitted(int slot, long key, Priority priority) {
    keys[slot] = key;
    int ghost = ghosts.find(key);
    if (ghost != Ghosts.NONE) {
      adapt(ghosts.listOf(ghost));
      ghosts.remove(ghost);
    }
    queues.add(slot, ghost != Ghosts.NONE);
  }

  @Override
  public int victim(IntPredicate mayGo) {
    return queues.victim(mayGo, (int) Math.max(0, Math.ceil(youngTarget) - 1));
  }

  @Override
  public void removed(int slot, boolean evicted) {
    boolean wasProven = queues.remove(slot);
    if (!evicted || ghosts.find(keys[slot]) != Ghosts.NONE) {
      return;
    }
    if (ghosts.size(YOUNG) + ghosts.size(PROVEN) == keys.length) {
      boolean youngHaveHalf = queues.youngCount() + ghosts.size(YOUNG) >= keys.length;
      boolean dropYoung = ghosts.size(PROVEN) == 0 || (youngHaveHalf && ghosts.size(YOUNG) > 0);
      ghosts.removeOldest(dropYoung ? YOUNG : PROVEN);
    }
    ghosts.add(wasProven ? PROVEN : YOUNG, keys[slot]);
  }

  private void adapt(int cameBack) {
    double young = ghosts.size(YOUNG);
    double proven = ghosts.size(PROVEN);
    youngTarget =
        cameBack == YOUNG
            ? Math.min(keys.length, youngTarget + Math.max(1, proven / young))
            : Math.max(0, youngTarget - Math.max(1, young / proven));
  }
}
