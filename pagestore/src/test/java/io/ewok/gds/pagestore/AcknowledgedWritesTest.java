package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimLatency;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every way to be told that a write is durable, and the power cut after it. Each way fails here
 * without its sync.
 */
class AcknowledgedWritesTest {
  private static final Path PATH = Path.of("/acknowledged");
  private static final int PAGE = 512;
  private static final int PAGES = 4;
  private static final int CRASHES = 40;

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(1 << 16));

  @AfterEach
  void close() {
    region.close();
  }

  /** What is asked of a new file; its directory is synced before. */
  private enum Way {
    WRITE_AND_SYNC {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        file.write(0, region, 0, PAGES * PAGE);
        file.sync();
      }
    },
    SUBMITTED_WRITE_AND_SYNC {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        IoRequest request = new IoRequest();
        engine.submit(request.prepareWrite(file, 0, region, 0, PAGES * PAGE));
        request.await();
        engine.submit(request.prepareSync(file));
        request.await();
      }
    },
    SYNCED_WRITE {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        file.writeSynced(0, region, 0, PAGES * PAGE);
      }
    },
    SUBMITTED_SYNCED_WRITE {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        IoRequest request = new IoRequest();
        engine.submit(request.prepareWrite(file, 0, region, 0, PAGES * PAGE).synced());
        request.await();
      }
    },
    SYNCED_WRITE_OF_PIECES {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        IoRequest request = new IoRequest();
        long[] places = {3 * PAGE, 0, 2 * PAGE, PAGE};
        engine.submit(request.prepareWrite(file, 0, region, places, 0, PAGES, PAGE).synced());
        request.await();
      }
    },
    PAGES_AND_SYNC {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        PageFile pages = new PageFile(file, PAGE, new PageFileOptions(8 * PAGE));
        pages.ensureCapacity(PAGES);
        new PageBatch(engine, pages, 2)
            .write(new long[] {0, 1, 3}, new long[] {PAGE, 0, 2 * PAGE}, 3, region);
        pages.write(2, region, 3 * PAGE);
        pages.sync();
      }
    },
    /** Promises nothing; that the test would see it. */
    WRITE {
      @Override
      void write(IoEngine engine, IoFile file, Region region) throws IOException {
        file.write(0, region, 0, PAGES * PAGE);
      }
    };

    abstract void write(IoEngine engine, IoFile file, Region region) throws IOException;
  }

  /** Returns the crashes that left something else than what was written. */
  private int lost(Way way, SimEngine engine) throws IOException {
    region.segment().asSlice(0, PAGES * PAGE).fill((byte) 7);
    try (IoFile file = engine.open(PATH, OpenMode.CREATE_NEW)) {
      engine.syncDirectory(PATH.getParent());
      way.write(engine, file, region);
    }
    int lost = 0;
    for (long seed = 0; seed < CRASHES; seed++) {
      try (SimEngine after = engine.crash(seed);
          IoFile file = after.open(PATH, OpenMode.READ_ONLY)) {
        int read = file.read(0, region, PAGES * PAGE, PAGES * PAGE);
        byte[] left = region.segment().asSlice(PAGES * PAGE, read).toArray(ValueLayout.JAVA_BYTE);
        boolean whole = read == PAGES * PAGE;
        for (byte b : left) {
          whole &= b == 7;
        }
        lost += whole ? 0 : 1;
      }
    }
    return lost;
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "WRITE")
  void acknowledgedWriteSurvivesEveryCrash(Way way) throws IOException {
    try (SimEngine engine = new SimEngine(1)) {
      assertEquals(0, lost(way, engine));
    }
    SimLatency latency = new SimLatency(50_000, 150_000, 0.05, 10_000_000);
    try (SimEngine engine = new SimEngine(1, SimOptions.defaults().withLatency(latency))) {
      assertEquals(0, lost(way, engine), "with latency");
    }
  }

  @Test
  void unsyncedWriteIsLostInSomeCrash() throws IOException {
    try (SimEngine engine = new SimEngine(1)) {
      assertTrue(lost(Way.WRITE, engine) > CRASHES / 4);
    }
  }
}
