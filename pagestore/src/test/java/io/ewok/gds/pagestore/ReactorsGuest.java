package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.reactor.Reactor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Runs in a virtual machine and tells what the reactors of an engine do, a line a fact. */
final class ReactorsGuest {
  private static final int UNIT = 4096;
  private static final int READS = 10;

  private ReactorsGuest() {}

  private static void tell(String name, Object fact) {
    System.out.println(EngineGuest.PREFIX + name + "=" + fact);
  }

  /**
   * Reads into memory on the machine's last node.
   *
   * @param args the path of a new file, then settings of the engine, each with its value
   */
  public static void main(String[] args) throws Exception {
    Map<String, String> settings = new HashMap<>();
    for (int i = 1; i < args.length; i++) {
      String[] parts = args[i].split("=", 2);
      settings.put(parts[0], parts[1]);
    }
    NumaTopology topology = NumaTopology.read();
    PlacementPolicy last = PlacementPolicy.bind(topology.nodes().getLast().id());
    RegionOptions options = RegionOptions.ofSize(1 << 20).withPlacement(last);
    try (Region region = Region.map(MemoryBudget.root("guest", 1 << 20), options);
        IoEngine engine = IoEngines.open(EngineOptions.from(settings));
        IoFile file = engine.open(Path.of(args[0]), OpenMode.CREATE_NEW)) {
      engine.register(region);
      region.segment().asSlice(0, UNIT).fill((byte) 5);
      IoRequest request = new IoRequest();
      engine.submit(request.prepareWrite(file, 0, region, 0, UNIT).synced());
      request.await();
      for (int i = 1; i <= READS; i++) {
        engine.submit(request.prepareRead(file, 0, region, (long) i * UNIT, UNIT));
        request.await();
      }
      tell("read", region.segment().get(ValueLayout.JAVA_BYTE, (READS + 1L) * UNIT - 1));
      tell("remote", engine.stats().remoteOperations());
      int number = 0;
      for (Reactor reactor : engine.reactors()) {
        tell("served" + number++, reactor.stats().completedCount());
      }
      engine.reactors().getFirst().submit(() -> readOften(file, region)).get();
      tell("remoteOfFiber", engine.stats().remoteOperations());
      tell("description", engine.description());
      Path canPoll = Path.of("/sys/block/nvme0n1/queue/io_poll");
      tell("canPoll", Files.exists(canPoll) ? Files.readString(canPoll).strip() : "0");
    }
  }

  private static int readOften(IoFile file, Region region) throws Exception {
    int sum = 0;
    for (int i = 0; i < READS; i++) {
      sum += file.read(0, region, 0, UNIT);
    }
    return sum;
  }
}
