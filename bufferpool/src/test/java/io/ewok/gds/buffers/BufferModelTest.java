package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random work on pages in a pool that is far too small, against arrays. */
final class BufferModelTest {
  private static final PageSize[] SIZES = {
    PageSize.BYTES_512, PageSize.BYTES_4096, PageSize.BYTES_16384
  };

  @TempDir Path temporary;

  @Test
  void pagesHoldWhatArraysHoldOnTheSimulatedEngine() throws IOException {
    for (long seed = 0; seed < 24; seed++) {
      try {
        SimOptions device =
            SimOptions.defaults().withAlignmentBytes(seed / 6 % 2 == 0 ? 512 : 4096);
        SimOptions keys = seed < 12 ? device : device.withKeys(new TestKeys(1));
        run(new SimEngine(seed, keys), Path.of("/"), seed, 1500);
      } catch (Throwable e) {
        throw new AssertionError("seed=" + seed, e);
      }
    }
  }

  @Test
  void pagesHoldWhatArraysHoldOnThePoolEngine() throws IOException {
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL))) {
      run(engine, temporary, 99, 3000);
    }
  }

  private static void run(IoEngine engine, Path directory, long seed, int steps)
      throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    EvictionKind[] kinds = EvictionKind.values();
    BufferOptions options =
        new BufferOptions(12 * 4096, 4096, null).withEviction(kinds[(int) (seed % kinds.length)]);
    MemoryBudget budget = MemoryBudget.root("exact", options.memoryBytes());
    List<Map<Long, byte[]>> models = new ArrayList<>();
    OpenMode mode = OpenMode.CREATE_NEW;
    for (int life = 0; life < 3; life++) {
      try (BufferManager manager = new BufferManager(engine, budget, options)) {
        List<CachedPageFile> files = new ArrayList<>();
        for (PageSize size : SIZES) {
          files.add(manager.openPages(directory.resolve(size.name()), size, mode));
          if (mode == OpenMode.CREATE_NEW) {
            models.add(new HashMap<>());
          }
        }
        for (int step = 0; step < steps / 3; step++) {
          int which = random.nextInt(SIZES.length);
          step(files.get(which), models.get(which), random);
        }
        for (int i = 0; i < SIZES.length; i++) {
          compare(files.get(i), models.get(i));
        }
      }
      mode = OpenMode.READ_WRITE;
    }
    assertTrue(budget.peakBytes() <= options.memoryBytes());
    assertEquals(0, budget.usedBytes());
  }

  private static void step(CachedPageFile file, Map<Long, byte[]> model, SplittableRandom random)
      throws IOException {
    int bytes = ownersBytes(file);
    long page = model.isEmpty() ? 0 : pick(model, random);
    try (Fix fix = new Fix()) {
      int what = random.nextInt(20);
      if (what < 4 || model.isEmpty()) {
        page = file.create(fix);
        byte[] content = new byte[bytes - PageFormat.HEADER_BYTES];
        random.nextBytes(content);
        body(fix, bytes).copyFrom(MemorySegment.ofArray(content));
        model.put(page, content);
      } else if (what < 6) {
        file.free(page, 0);
        model.remove(page);
      } else if (what < 12) {
        file.fixExclusive(page, fix);
        byte[] content = model.get(page);
        int at = random.nextInt(content.length);
        content[at] ^= 1;
        body(fix, bytes).set(ValueLayout.JAVA_BYTE, at, content[at]);
        fix.markDirty(0);
      } else if (what == 12) {
        file.flush();
      } else {
        file.fixShared(page, fix);
        assertEquals(-1, body(fix, bytes).mismatch(MemorySegment.ofArray(model.get(page))));
      }
    }
  }

  private static void compare(CachedPageFile file, Map<Long, byte[]> model) throws IOException {
    try (Fix fix = new Fix()) {
      for (Map.Entry<Long, byte[]> entry : model.entrySet()) {
        file.fixShared(entry.getKey(), fix);
        MemorySegment body = body(fix, ownersBytes(file));
        assertEquals(-1, body.mismatch(MemorySegment.ofArray(entry.getValue())));
        fix.unfix();
      }
    }
  }

  private static long pick(Map<Long, byte[]> model, SplittableRandom random) {
    int skip = random.nextInt(model.size());
    return model.keySet().stream().sorted().skip(skip).findFirst().orElseThrow();
  }

  private static int ownersBytes(CachedPageFile file) {
    return file.pageSize().bytes() - (file.isEncrypted() ? PageFormat.SEAL_BYTES : 0);
  }

  private static MemorySegment body(Fix fix, int bytes) {
    return fix.segment().asSlice(PageFormat.HEADER_BYTES, bytes - PageFormat.HEADER_BYTES);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void countersOfManyThreadsAddUp(boolean encrypted) throws Exception {
    int threads = 6;
    int pages = 40;
    int rounds = 1500;
    TestKeys keys = new TestKeys(encrypted ? 1 : KeySource.NOT_ENCRYPTED);
    try (IoEngine engine =
            IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL).withKeys(keys));
        BufferManager manager =
            new BufferManager(
                engine,
                BufferFixture.budget(),
                new BufferOptions(16 * 4096, 4096, null)
                    .withPlacements(Collections.nCopies(2, PlacementPolicy.none())));
        CachedPageFile file =
            manager.openPages(
                temporary.resolve("counters"), PageSize.BYTES_8192, OpenMode.CREATE_NEW)) {
      try (Fix fix = new Fix()) {
        for (int i = 0; i < pages; i++) {
          file.create(fix);
          fix.unfix();
        }
      }
      List<Future<Void>> workers = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int thread = 0; thread < threads; thread++) {
          SplittableRandom random = new SplittableRandom(thread);
          workers.add(executor.submit(() -> count(file, pages, rounds, random)));
        }
        for (int i = 0; encrypted && i < 5; i++) {
          keys.current = 2 + i;
          file.reseal();
        }
      }
      for (Future<Void> worker : workers) {
        worker.get();
      }
      long sum = 0;
      try (Fix fix = new Fix()) {
        for (long page = 1; page <= pages; page++) {
          file.fixShared(page, fix);
          sum += fix.segment().get(ValueLayout.JAVA_LONG, 24);
          fix.unfix();
        }
      }
      assertEquals((long) threads * rounds, sum);
      assertTrue(manager.stats().evictions() > 100, () -> manager.stats().toString());
      assertTrue(manager.stats().writeBacks() > 100, () -> manager.stats().toString());
    }
  }

  private static Void count(CachedPageFile file, int pages, int rounds, SplittableRandom random)
      throws IOException {
    try (Fix fix = new Fix()) {
      for (int i = 0; i < rounds; i++) {
        file.fixExclusive(1 + random.nextInt(pages), fix);
        MemorySegment page = fix.segment();
        page.set(ValueLayout.JAVA_LONG, 24, page.get(ValueLayout.JAVA_LONG, 24) + 1);
        fix.markDirty(0);
        fix.unfix();
        file.fixShared(1 + random.nextInt(pages), fix);
        fix.unfix();
        if (i % 300 == 299) {
          file.flush();
        }
      }
    }
    return null;
  }
}
