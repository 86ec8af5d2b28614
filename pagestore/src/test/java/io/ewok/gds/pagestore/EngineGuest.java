package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** Runs in a virtual machine and tells what its engines make of it, a line a fact. */
final class EngineGuest {
  static final String PREFIX = "gds|";
  private static final int OPENED = 10;

  /** More than half of the smallest limit of locked memory in {@link EnginesInGuestTest}. */
  private static final int REGISTERED_BYTES = 48 << 10;

  private EngineGuest() {}

  private static void tell(String name, Object fact) {
    System.out.println(PREFIX + name + "=" + fact);
  }

  /**
   * Opens the best engine and uses a file or block device.
   *
   * @param args the path of what to use
   */
  public static void main(String[] args) throws IOException {
    Path path = Path.of(args[0]);
    MemoryBudget budget = MemoryBudget.root("guest", 64 << 20);
    RegionOptions options = RegionOptions.ofSize(1 << 20);
    NumaTopology topology = NumaTopology.read();
    if (topology.nodesWithMemory().cardinality() > 1) {
      // Threads inherit it: all runs on one node, with memory on the other.
      LinuxThreads.setAffinity(topology.node(0).cpus());
      options = options.withPlacement(PlacementPolicy.bind(1));
    }
    try (Region region = Region.map(budget, options);
        IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      engine.register(region);
      tell("engine", engine.name());
      tell("description", engine.description());
      for (EngineChoice.Rejection rejection : engine.choice().rejections()) {
        tell("code", rejection.code());
        tell("reason", rejection.reason());
      }
      OpenMode mode = engine.exists(path) ? OpenMode.READ_WRITE : OpenMode.CREATE_NEW;
      try (IoFile file = engine.open(path, mode)) {
        tell("direct", file.isDirect());
        tell("alignment", file.alignmentBytes());
        tell("device", file.isBlockDevice());
        file.preallocate(0, 1 << 20);
        tell("atomicMax", file.atomicWrites().maxBytes());
        region.segment().asSlice(0, 1 << 16).fill((byte) 5);
        file.writeSynced(0, region, 0, 1 << 16);
        use(engine, file, region);
        file.punchHole(0, 1 << 16);
        file.readFully(0, region, 1 << 16, 1 << 16);
        tell("hole", region.segment().get(ValueLayout.JAVA_BYTE, 1 << 16) == 0);
      }
      IoStats stats = engine.stats();
      tell("remote", stats.remoteOperations());
      tell("transfers", stats.reads() + stats.writes());
    }
    openAgainAndAgain(budget);
  }

  /** The kernel has to give locked memory back before the next one needs it. */
  private static void openAgainAndAgain(MemoryBudget budget) throws IOException {
    int withFixedBuffers = 0;
    RegionOptions small = RegionOptions.ofSize(REGISTERED_BYTES).withHugePages(HugePages.OFF);
    for (int i = 0; i < OPENED; i++) {
      try (Region region = Region.map(budget, small);
          IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
        engine.register(region);
        String description = engine.description();
        if (!engine.name().equals("URING") || description.contains("with fixed buffers")) {
          withFixedBuffers++;
        } else {
          tell("refused" + i, description);
        }
      }
    }
    tell("opened", OPENED);
    tell("openedWithFixedBuffers", withFixedBuffers);
  }

  /** Reads and writes through the engine's queue, atomically where that can be. */
  private static void use(IoEngine engine, IoFile file, Region region) throws IOException {
    IoRequest request = new IoRequest();
    int atomicBytes = Math.min(1 << 16, file.atomicWrites().maxBytes());
    if (atomicBytes > 0) {
      engine.submit(request.prepareWrite(file, 0, region, 0, atomicBytes).synced().atomic());
      tell("atomicWritten", request.await());
    }
    engine.submit(request.prepareWrite(file, 1 << 16, region, 0, 1 << 16).synced());
    request.await();
    engine.submit(request.prepareRead(file, 1 << 16, region, 1 << 17, 1 << 16));
    tell("read", request.await());
  }
}
