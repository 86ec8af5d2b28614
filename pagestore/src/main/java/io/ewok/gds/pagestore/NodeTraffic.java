package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.Placement;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.reactor.ReactorGroup;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;
import java.util.function.ToIntFunction;

/**
 * Counts transfers whose memory lies on another NUMA node than the thread that made them: the
 * reactor, or a thread that blocks. Of registered regions only, since those are looked at once, in
 * pieces of 2 MiB; and nothing on a machine with one node.
 *
 * <p>Threads: any.
 */
final class NodeTraffic {
  static final long PIECE_BYTES = 2 << 20;

  /** A piece that lies nowhere yet, or all over the place. */
  static final int UNKNOWN = ReactorGroup.NO_NODE;

  private final boolean severalNodes;
  private final IntSupplier currentNode;
  private final ToIntFunction<MemorySegment> nodeOf;

  /** The node of each piece of a registered region. A region is equal to itself alone. */
  private final Map<Region, int[]> nodes = new ConcurrentHashMap<>();

  private final LongAdder remoteOperations = new LongAdder();
  private final LongAdder remoteBytes = new LongAdder();

  NodeTraffic(boolean severalNodes, IntSupplier currentNode, ToIntFunction<MemorySegment> nodeOf) {
    this.severalNodes = severalNodes;
    this.currentNode = currentNode;
    this.nodeOf = nodeOf;
  }

  /** Of this machine. */
  static NodeTraffic ofMachine(NumaTopology topology) {
    return of(topology, NodeTraffic::nodeOf);
  }

  /** Of a machine whose memory lies where a function says. */
  static NodeTraffic of(NumaTopology topology, ToIntFunction<MemorySegment> nodeOf) {
    return new NodeTraffic(
        topology.nodesWithMemory().cardinality() > 1, topology::currentNode, nodeOf);
  }

  /** Returns the node that most of the sampled pages lie on. */
  static int nodeOf(MemorySegment memory) {
    return Placement.request(memory, PlacementPolicy.none())
        .verify(memory)
        .pagesByNode()
        .entrySet()
        .stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(UNKNOWN);
  }

  /** Looks where the region lies, once the kernel holds its pages. */
  void register(Region region) {
    if (severalNodes) {
      int[] pieces = new int[(int) ((region.sizeBytes() + PIECE_BYTES - 1) / PIECE_BYTES)];
      Arrays.setAll(
          pieces,
          i -> {
            long from = i * PIECE_BYTES;
            long length = Math.min(PIECE_BYTES, region.sizeBytes() - from);
            return nodeOf.applyAsInt(region.segment().asSlice(from, length));
          });
      nodes.put(region, pieces);
    }
  }

  void unregister(Region region) {
    nodes.remove(region);
  }

  /** Returns where a byte of a registered region lies; {@link #UNKNOWN} for others. */
  int nodeOf(Region region, long regionOffset) {
    int[] pieces = severalNodes && region != null ? nodes.get(region) : null;
    int piece = (int) (regionOffset / PIECE_BYTES);
    return pieces == null || piece >= pieces.length ? UNKNOWN : pieces[piece];
  }

  /** Counts a transfer, on the thread that made it. */
  void count(Region region, long regionOffset, int bytes) {
    int node = bytes > 0 ? nodeOf(region, regionOffset) : UNKNOWN;
    if (node != UNKNOWN && node != currentNode.getAsInt()) {
      remoteOperations.increment();
      remoteBytes.add(bytes);
    }
  }

  long remoteOperations() {
    return remoteOperations.sum();
  }

  long remoteBytes() {
    return remoteBytes.sum();
  }
}
