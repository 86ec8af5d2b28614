package io.ewok.gds.bench;

/** The contenders by name: the name of a benchmark's method says who runs in it. */
final class Contenders {
  private Contenders() {}

  /**
   * Opens a contender.
   *
   * @param name the method's name, or the whole name of a benchmark that ends in it
   * @param slots how many blocks may be live
   */
  static Contender open(String name, int slots) {
    String method = name.substring(name.lastIndexOf('.') + 1);
    return switch (method) {
      case "nothing" -> new FloorContender(slots, 0);
      case "floor" -> new FloorContender(slots, FloorContender.MEAN_BYTES);
      case "slabShard" -> new SlabContender(slots, true, false);
      case "slabShardBatch" -> new SlabContender(slots, true, true);
      case "slabAllocator" -> new SlabContender(slots, false, false);
      case "slabAllocatorBatch" -> new SlabContender(slots, false, true);
      case "malloc" -> new MallocContender(slots, true);
      case "mallocPlain" -> new MallocContender(slots, false);
      case "nettyAdaptive" -> NettyContender.adaptive(slots, true);
      case "nettyAdaptiveShared" -> NettyContender.adaptive(slots, false);
      case "nettyPooled" -> NettyContender.pooled(slots);
      case "confinedArena" -> new ArenaContender(slots);
      default -> throw new IllegalArgumentException("no such contender: name=" + name);
    };
  }
}
