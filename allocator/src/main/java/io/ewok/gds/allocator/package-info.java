/**
 * Off-heap memory for storage engines: few large mappings, cut up without garbage.
 *
 * <p><b>What it is.</b> A {@link io.ewok.gds.allocator.Region} is a mapping of anonymous memory.
 * Inside regions work two allocators: a {@link io.ewok.gds.allocator.BumpArena} for things that die
 * together, and a {@link io.ewok.gds.allocator.FramePool} for frames of one size that come and go.
 * Every region is charged to a {@link io.ewok.gds.allocator.MemoryBudget}, so that what a component
 * may use is a number known at start and what it does use is a gauge.
 *
 * <p><b>What it is not.</b> A general replacement for {@code malloc}: there are no size classes and
 * no caches per thread.
 *
 * <p><b>Threads.</b> Budgets and the lease count of a region are for any thread. An arena or a pool
 * belongs to one owner at a time: a thread, or whoever holds the owner's lock.
 *
 * <p><b>Safety.</b> A segment that leaves through this package has the scope of its region: access
 * after {@code close} is an {@link java.lang.IllegalStateException}, never a fault of the process.
 * Addresses, as {@code long}, carry no such promise; whoever dereferences them keeps the owner
 * open.
 *
 * <p><b>Null.</b> No parameter accepts {@code null}, no method returns it.
 *
 * <p>Example:
 *
 * <pre>{@code
 * MemoryBudget budget = MemoryBudget.root("pool", 64 << 20);
 * try (Region region = Region.map(budget, RegionOptions.ofSize(64 << 20))) {
 *   FramePool frames = new FramePool(region, 4096);
 *   long frame = frames.allocate();
 *   frames.segment(frame).fill((byte) 0);
 *   frames.free(frame);
 * }
 * }</pre>
 */
package io.ewok.gds.allocator;
