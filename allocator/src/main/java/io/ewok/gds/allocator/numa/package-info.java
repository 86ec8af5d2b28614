/**
 * Where memory lies on machines with several NUMA nodes.
 *
 * <p><b>What it is.</b> {@link io.ewok.gds.allocator.numa.PlacementPolicy} says on which nodes
 * memory is wanted, {@link io.ewok.gds.allocator.numa.Placement} asks the kernel for it and reports
 * what came of it. {@link io.ewok.gds.allocator.numa.NumaTopology} describes the machine: its
 * {@link io.ewok.gds.allocator.numa.NumaNode}s with CPUs, memory and distances.
 *
 * <p><b>What it is not.</b> A binding of libnuma, which need not be installed. Files mapped into
 * memory have no policy here: the kernel ignores it for them.
 *
 * <p><b>Words.</b> A <i>node</i> is some memory, some CPUs, or both; nodes have numbers, with gaps.
 *
 * <p><b>Threads.</b> Everything is immutable.
 *
 * <p><b>Null.</b> No parameter accepts {@code null}, no method returns it.
 *
 * <p>Example:
 *
 * <pre>{@code
 * PlacementPolicy policy = PlacementPolicy.parse("interleave:0-1");
 * Placement requested = Placement.request(memory, policy);
 * memory.fill((byte) 0);
 * System.out.println(requested.verify(memory));
 * }</pre>
 */
package io.ewok.gds.allocator.numa;
