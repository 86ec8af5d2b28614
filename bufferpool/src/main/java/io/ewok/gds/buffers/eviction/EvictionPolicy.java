package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/**
 * Decides what leaves a cache of a fixed number of slots when there is no room. It knows slots by
 * number, and of what lies in them only a key that tells one thing from another.
 *
 * <p>Ownership: the cache owns its policy and tells it everything that happens to a slot:
 *
 * <pre>
 *   absent --admitted--> resident --removed--> absent
 * </pre>
 *
 * <p>What was asked for once more is counted in the {@link ReferenceMarks} with which the policy
 * was made.
 *
 * <p>Threads: guarded by the cache's lock. No method blocks, and none allocates after construction.
 *
 * {@snippet :
 * int slot = free.isEmpty() ? policy.victim(mayGo) : free.pop();
 * if (isResident(slot)) {
 *   policy.removed(slot, true);
 * }
 * policy.admitted(slot, key, Priority.NORMAL);
 * }
 */
public interface EvictionPolicy {
  /**
   * Something was put into an absent slot.
   *
   * @param slot from 0 to the number of slots - 1
   * @param key the same whenever the same thing is admitted, and different for different things
   *     except by rare accident, as with a hash
   */
  void admitted(int slot, long key, Priority priority);

  /**
   * Names the slot whose content should go. It stays resident until {@link #removed} is called; if
   * it is not, a later call may name it again.
   *
   * @param mayGo tells whether what is in a resident slot can go now. Called for some of them, more
   *     than once
   * @return -1 if no resident slot may go
   */
  int victim(IntPredicate mayGo);

  /**
   * What was in a resident slot is gone.
   *
   * @param evicted true if it had to make room and may be asked for again; false if it has ceased
   *     to exist, as when its file was closed
   */
  void removed(int slot, boolean evicted);
}
