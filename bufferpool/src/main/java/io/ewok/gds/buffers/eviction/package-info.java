/**
 * What leaves the pool when there is no room.
 *
 * <p>Not here: frames, pins, files and locks, which are the buffer manager's. A policy knows
 * <em>slots</em> by number, and a <em>key</em> of what lies in each; a slot is <em>resident</em>
 * while something lies in it.
 *
 * <p>Threads: the cache's lock guards everything but {@link
 * io.ewok.gds.buffers.eviction.EvictionPolicy#hit}, which any thread may call. No argument may be
 * null.
 *
 * {@snippet :
 * EvictionPolicy policy = EvictionKind.CLOCK.create(1000);
 * policy.admitted(7, pageNumber, false);
 * policy.hit(7);
 * int slot = policy.victim(candidate -> pins[candidate] == 0);
 * policy.removed(slot, true);
 * }
 */
package io.ewok.gds.buffers.eviction;
