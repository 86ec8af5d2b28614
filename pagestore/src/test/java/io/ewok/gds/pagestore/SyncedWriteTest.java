package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Synced writes on each engine, made durable each way. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class SyncedWriteTest {
  private static final int UNIT = 4096;

  @TempDir Path directory;

  private static IoEngine open(EngineKind kind, SyncMethod method) throws IOException {
    return IoEngines.open(EngineOptions.defaults().withWanted(kind).withSyncMethod(method));
  }

  @Test
  void everyMethodWritesAndSyncsOnThePool() throws Exception {
    for (SyncMethod method : SyncMethod.values()) {
      writesAndSyncs(EngineKind.POOL, method);
    }
  }

  @Test
  void everyMethodWritesAndSyncsOnTheRing() throws Exception {
    assumeTrue(UringProbe.probe().supported());
    for (SyncMethod method : SyncMethod.values()) {
      writesAndSyncs(EngineKind.URING, method);
    }
  }

  private void writesAndSyncs(EngineKind kind, SyncMethod method) throws Exception {
    int count = 3 * SyncChoice.TRIALS; // enough for AUTO to decide
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    try (Region region = Region.map(budget, RegionOptions.ofSize((count + 1L) * UNIT));
        IoEngine engine = open(kind, method);
        IoFile file = engine.open(directory.resolve(kind + "-" + method), OpenMode.CREATE_NEW)) {
      IoRequest request = new IoRequest();
      for (int i = 0; i < count; i++) {
        long at = (long) i * UNIT;
        region.segment().asSlice(at, UNIT).fill((byte) (i + 1));
        switch (i % 3) {
          case 0 -> file.writeSynced(at, region, at, UNIT);
          case 1 ->
              EngineConformanceTest.onThreads(
                  true, 1, thread -> () -> file.writeSynced(at, region, at, UNIT));
          default -> {
            engine.submit(request.prepareWrite(file, at, region, at, UNIT).synced());
            assertEquals(UNIT, request.await());
          }
        }
      }
      assertEquals(count, engine.stats().writes());
      assertEquals(count, engine.stats().syncs());
      for (int i = 0; i < count; i++) {
        byte[] written =
            region.segment().asSlice((long) i * UNIT, UNIT).toArray(ValueLayout.JAVA_BYTE);
        file.readFully((long) i * UNIT, region, (long) count * UNIT, UNIT);
        assertArrayEquals(
            written,
            region.segment().asSlice((long) count * UNIT, UNIT).toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  @Test
  void writingThroughIsOneCall() throws Exception {
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    for (SyncMethod method : new SyncMethod[] {SyncMethod.DSYNC, SyncMethod.FDATASYNC}) {
      try (Region region = Region.map(budget, RegionOptions.ofSize(UNIT));
          IoEngine engine = open(EngineKind.POOL, method);
          IoFile file = engine.open(directory.resolve("calls" + method), OpenMode.CREATE_NEW)) {
        assumeTrue(file.isDirect(), "only past the page cache");
        file.writeSynced(0, region, 0, UNIT);
        assertEquals(method == SyncMethod.DSYNC ? 1 : 2, engine.stats().nativeCalls());
      }
    }
  }

  /** The descriptor is closed behind the file's back, which makes its writes fail. */
  @Test
  void failedWriteThroughPoisonsTheFile() throws Exception {
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    boolean ring = UringProbe.probe().supported();
    EngineKind[] kinds =
        ring
            ? new EngineKind[] {EngineKind.POOL, EngineKind.URING}
            : new EngineKind[] {EngineKind.POOL};
    for (EngineKind kind : kinds) {
      for (boolean inline : new boolean[] {true, false}) {
        try (Region region = Region.map(budget, RegionOptions.ofSize(UNIT));
            IoEngine engine = open(kind, SyncMethod.DSYNC)) {
          Path path = directory.resolve("poisoned-" + kind + inline);
          LinuxFile file = (LinuxFile) engine.open(path, OpenMode.CREATE_NEW);
          assumeTrue(file.isDirect(), "only past the page cache");
          file.engine().unregisterFromKernel(file);
          LinuxFiles.close(file.descriptor());
          if (inline) {
            assertThrows(StorageException.class, () -> file.writeSynced(0, region, 0, UNIT));
          } else {
            IoRequest request = new IoRequest().prepareWrite(file, 0, region, 0, UNIT).synced();
            engine.submit(request);
            assertThrows(StorageException.class, request::await);
          }
          assertThrows(PoisonedFileException.class, () -> file.write(0, region, 0, UNIT));
          assertThrows(StorageException.class, file::close, "the descriptor was not ours");
        }
      }
    }
  }
}
