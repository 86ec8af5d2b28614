/**
 * What leaves the pool when there is no room.
 *
 * <p>Not here: frames, pins, files and locks, which are the buffer manager's. A policy knows
 * <em>slots</em> by number, and a <em>key</em> of what lies in each; a slot is <em>resident</em>
 * while something lies in it. A {@link io.ewok.gds.buffers.eviction.Simulation} tells how many hits
 * a recorded trace has with each policy, and what the best possible is.
 *
 * <p>Threads: the cache's lock guards everything but {@link
 * io.ewok.gds.buffers.eviction.ReferenceMarks#count}, which any thread may call. No argument may be
 * null.
 *
 * {@snippet :
 * ReferenceMarks marks = new ReferenceMarks(1000);
 * EvictionPolicy policy = EvictionKind.S3_FIFO.create(marks);
 * policy.admitted(7, pageNumber, Priority.NORMAL);
 * marks.count(7);
 * int slot = policy.victim(candidate -> pins[candidate] == 0);
 * policy.removed(slot, true);
 * }
 */
package io.ewok.gds.buffers.eviction;
