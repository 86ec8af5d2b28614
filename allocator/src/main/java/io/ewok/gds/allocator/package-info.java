/**
 * Off-heap memory for storage engines: few large mappings, cut up without garbage.
 *
 * <p><b>What it is.</b> A {@link io.ewok.gds.allocator.Region} is a mapping of anonymous memory;
 * the others cut regions up. Every region is charged to a {@link
 * io.ewok.gds.allocator.MemoryBudget}, so that what a component may use is a number known at start
 * and what it does use is a gauge.
 *
 * <table>
 * <caption>Which one to use</caption>
 * <tr><th>for</th><th>type</th></tr>
 * <tr><td>one mapping, registered with the ring as one buffer</td>
 *     <td>{@link io.ewok.gds.allocator.Region}</td></tr>
 * <tr><td>things that die together, one writer</td>
 *     <td>{@link io.ewok.gds.allocator.BumpArena}</td></tr>
 * <tr><td>the same, many writers</td>
 *     <td>{@link io.ewok.gds.allocator.ConcurrentBumpArena}</td></tr>
 * <tr><td>things of up to 64 KiB that come and go, any thread</td>
 *     <td>{@link io.ewok.gds.allocator.SlabAllocator}</td></tr>
 * <tr><td>frames of one size in one region, single or neighbours, under a lock the owner has</td>
 *     <td>{@link io.ewok.gds.allocator.FramePool}</td></tr>
 * <tr><td>pages for read-ahead, with a floor and a ceiling</td>
 *     <td>{@link io.ewok.gds.allocator.ReadArena}</td></tr>
 * <tr><td>who may use how much</td>
 *     <td>{@link io.ewok.gds.allocator.MemoryBudget}, {@link
 *     io.ewok.gds.allocator.BudgetCredit}</td></tr>
 * </table>
 *
 * <p><b>What it is not.</b> A replacement for {@code malloc}: what is freed is named by its handle,
 * not by its address, and there are no caches per thread.
 *
 * <p><b>Threads.</b> Each type says which; what is not for any thread belongs to one owner at a
 * time: a thread, or whoever holds the owner's lock.
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
