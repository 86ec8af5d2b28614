package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.pagestore.ClassLimits;
import io.ewok.gds.pagestore.ClassStats;
import io.ewok.gds.pagestore.IoRate;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.ThrottleOptions;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A compaction goes in steps of so many bytes, and no faster than its class of work may. */
@Timeout(60)
class CompactionStepsTest {
  private static final int RECORDS = 3_000;
  private static final int VALUE_BYTES = 1_000;
  private static final long BYTES_PER_SECOND = 1 << 20;

  /** More than any transfer, so that a limit that is not reached only counts. */
  private static final IoRate COUNTED = IoRate.ofBytes(1L << 40);

  private final SimEngine engine = new SimEngine(1);
  private final StoreOptions options =
      Fixtures.TINY
          .withPoolBytes(4 << 20) // so that a merge reads pieces of all runs ahead
          .withTablesBeforeMerge(64);

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  /** Tables of level 0 that all overlap. */
  private static void fill(Store store) throws Exception {
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < RECORDS; i++) {
      byte[] value = Fixtures.randomBytes(random, VALUE_BYTES);
      store.put(key((int) (i * 7919L % RECORDS)), value, Durability.NONE);
    }
    store.flush();
  }

  private void limit(IoRate read, IoRate write) {
    ClassLimits limits = ClassLimits.NONE.withRead(read).withWrite(write);
    engine.setThrottle(
        ThrottleOptions.UNLIMITED
            .with(WorkClass.COMPACTION, limits)
            .with(WorkClass.FOREGROUND, ClassLimits.NONE.withRead(COUNTED)));
  }

  @Test
  void whatIsMergedIsReadAndWrittenAsWorkOfCompactions() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      fill(store);
      limit(COUNTED, COUNTED);
      long written = store.stats().written().mergeBytes();
      IoStats before = engine.stats();
      store.compact();
      written = store.stats().written().mergeBytes() - written;
      IoStats all = engine.stats().since(before);
      ClassStats merged = engine.stats(WorkClass.COMPACTION);
      assertTrue(written > RECORDS * VALUE_BYTES, "written: " + written);
      // Beside it there are indexes, which are in the pool, and the manifest.
      long others = all.bytesRead() + all.bytesWritten() - merged.bytes();
      assertTrue(merged.bytes() > 2L * RECORDS * VALUE_BYTES, "merged: " + merged);
      assertTrue(others < merged.bytes() / 8, "others: " + others + " merged: " + merged);
    }
  }

  private double secondsToCompact(IoRate read, IoRate write) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      fill(store);
      limit(read, write);
      long start = engine.clock().getAsLong();
      store.compact();
      engine.setThrottle(ThrottleOptions.UNLIMITED);
      return (engine.clock().getAsLong() - start) / 1e9;
    }
  }

  @Test
  void readsKeepToTheirLimit() throws Exception {
    double least = (double) RECORDS * VALUE_BYTES / BYTES_PER_SECOND;
    double seconds = secondsToCompact(IoRate.ofBytes(BYTES_PER_SECOND), IoRate.UNLIMITED);
    assertTrue(seconds > 0.9 * least && seconds < 2 * least, "seconds: " + seconds);
  }

  @Test
  void writesKeepToTheirLimit() throws Exception {
    double least = (double) RECORDS * VALUE_BYTES / BYTES_PER_SECOND;
    double seconds = secondsToCompact(IoRate.UNLIMITED, IoRate.ofBytes(BYTES_PER_SECOND));
    assertTrue(seconds > 0.9 * least && seconds < 2 * least, "seconds: " + seconds);
  }

  /** Stops a merge at its first record and at its last one, until it may go on. */
  private static final class Stations implements CompactionFilter {
    final CountDownLatch atFirst = new CountDownLatch(1);
    final CountDownLatch fromFirst = new CountDownLatch(1);
    final CountDownLatch fromLast = new CountDownLatch(1);
    private int records;

    @Override
    public Decision decide(MemorySegment key, MemorySegment value, ResultBytes result) {
      records++;
      if (records == 1) {
        atFirst.countDown();
        await(fromFirst);
      } else if (records == RECORDS) {
        await(fromLast);
      }
      return Decision.KEEP;
    }

    private static void await(CountDownLatch latch) {
      try {
        if (!latch.await(30, TimeUnit.SECONDS)) {
          throw new AssertionError("nothing is done beside a merge");
        }
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void aFlushThatBecomesDueDoesNotWaitForTheEndOfAMerge() throws Exception {
    Stations stations = new Stations();
    List<String> told = new CopyOnWriteArrayList<>();
    StoreListener listener =
        new StoreListener() {
          @Override
          public void flushed(Flush flush) {
            told.add("flushed");
          }

          @Override
          public void compacted(Compacted compacted) {
            told.add("compacted");
          }
        };
    StoreOptions stopped =
        options.withListener(listener).withTree(options.tree().withCompactionFilter(stations));
    Map<String, String> expected;
    try (Store store = Store.open(Fixtures.DIRECTORY, stopped, engine)) {
      fill(store);
      Map<byte[], byte[]> model = Fixtures.contents(store);
      assertEquals(RECORDS, model.size());
      told.clear();
      FutureTask<Void> merge = start(store::compact);
      stations.atFirst.await();
      for (int i = 0; i < RECORDS; i += 3) {
        byte[] value = Fixtures.bytes("newer than what is merged " + i);
        store.put(key(i), value, Durability.NONE);
        model.put(key(i), value);
        store.delete(key(i + 1), Durability.NONE);
        model.remove(key(i + 1));
      }
      FutureTask<Void> flush = start(store::flush);
      Fixtures.await(store, store.writer().versions()::hasFrozen);
      stations.fromFirst.countDown();
      flush.get();
      // Here the merge is not behind its last record.
      Fixtures.await(store, () -> !told.isEmpty());
      assertEquals(List.of("flushed"), told);
      expected = Fixtures.text(model);
      assertEquals(expected, Fixtures.text(Fixtures.contents(store)));
      stations.fromLast.countDown();
      merge.get();
      assertEquals("compacted", told.get(1), told::toString);
      assertEquals(expected, Fixtures.text(Fixtures.contents(store)));
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      assertEquals(expected, Fixtures.text(Fixtures.contents(store)));
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  private static FutureTask<Void> start(Work work) {
    FutureTask<Void> task =
        new FutureTask<>(
            () -> {
              work.run();
              return null;
            });
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  @Test
  void aStepReadsAndWritesAboutItsBudget() throws Exception {
    long budget = 256 << 10;
    long pieces = StoreMemory.readBufferBytes(options);
    long buffered = 512 << 10;
    StoreParts parts = new StoreParts(engine, new StoreFiles(Fixtures.DIRECTORY), options);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      fill(store);
    }
    StoreOpener.open(parts);
    try {
      parts.background.setRest(TimeUnit.HOURS.toNanos(1));
      FamilyState family = parts.families.main();
      Levels levels = parts.versions.currentOrNull().levels(family);
      CompactionOptions form = CompactionOptions.of(options, options.tree());
      CompactionInputs inputs =
          CompactionPicker.of(form)
              .pick(levels, new ManualCompaction(family, null, null), parts.tables.nextNumber());
      Compaction compaction =
          new Compaction(
              family,
              inputs,
              parts.versions,
              parts.tables,
              new TableWriter(engine, parts.mergeBuffer, StoreMemory.tableOptions(options)),
              new ValueFileWriter(engine, parts.memory.writing()),
              parts.readBuffer,
              form,
              parts.counters,
              parts.events);
      CompactionPicker hasty =
          CompactionPicker.of(
              CompactionOptions.of(options, options.tree().withTablesBeforeMerge(2)));
      double pressure = hasty.pressureOfLevel0(levels, 0, null);
      assertEquals(1, pressure);
      assertEquals(pressure, hasty.pressureOfLevel0(levels, 0, compaction));
      int steps = 1;
      IoStats before = engine.stats();
      double left = 1;
      while (!compaction.step(budget)) {
        // What is merged does not press writers until all of it is.
        double leftNow = compaction.leftOf(levels.level(0).getFirst());
        assertEquals(budget / ((double) RECORDS * (VALUE_BYTES + 17)), left - leftNow, 0.01);
        left = leftNow;
        IoStats now = engine.stats();
        IoStats done = now.since(before);
        before = now;
        steps++;
        assertTrue(done.bytesRead() <= 2 * budget + pieces, "read: " + done);
        assertTrue(done.bytesWritten() <= budget + buffered, "written: " + done);
      }
      assertEquals(0, compaction.leftOf(levels.level(0).getFirst()), 1e-9);
      assertEquals(0, hasty.pressureOfLevel0(levels, 0, compaction));
      long expected = (long) RECORDS * (VALUE_BYTES + key(0).length) / budget;
      assertTrue(steps >= expected && steps <= expected + 2, "steps: " + steps);
      assertEquals(List.of(), parts.versions.currentOrNull().levels(family).level(0));
    } finally {
      parts.close();
    }
  }

  /** In memory, in the manifest and after a crash. */
  @Test
  void whatIsFlushedWhileLevel0IsMergedWithinItselfStaysNewer() throws Exception {
    // The store itself finds nothing to compact.
    StoreOptions lazy = Fixtures.TINY.withTablesBeforeMerge(64);
    CompactionOptions form =
        CompactionOptions.of(lazy, lazy.tree().withTablesBeforeMerge(2).withLevel1Bytes(16 << 20));
    try (Store store = Store.open(Fixtures.DIRECTORY, lazy, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      put(store, 0, 2_000, "old");
      store.compact();
      for (int flush = 0; flush < 4; flush++) {
        put(store, 500 * flush, 500 * flush + 80, "merged");
        store.put(key(7), Fixtures.bytes("merged " + flush), Durability.NONE);
        store.put(key(1_999), Fixtures.bytes("merged " + flush), Durability.NONE);
        store.flush();
      }
    }
    StoreParts parts = new StoreParts(engine, new StoreFiles(Fixtures.DIRECTORY), lazy);
    StoreOpener.open(parts);
    try {
      parts.background.setRest(TimeUnit.HOURS.toNanos(1));
      FamilyState family = parts.families.main();
      Levels levels = parts.versions.currentOrNull().levels(family);
      CompactionInputs inputs = CompactionPicker.of(form).pick(levels, Long.MAX_VALUE);
      assertEquals(levels.level(0), inputs.tables());
      assertEquals(0, inputs.outputLevel());
      Compaction compaction =
          new Compaction(
              family,
              inputs,
              parts.versions,
              parts.tables,
              new TableWriter(engine, parts.mergeBuffer, StoreMemory.tableOptions(lazy)),
              new ValueFileWriter(engine, parts.memory.writing()),
              parts.readBuffer,
              form,
              parts.counters,
              parts.events);
      assertFalse(compaction.step(64 << 10));
      StoreWriter writer = new StoreWriter(parts);
      writer.put(
          family,
          MemorySegment.ofArray(key(7)),
          MemorySegment.ofArray(Fixtures.bytes("newest")),
          WriteOptions.of(Durability.NONE));
      writer.flush();
      while (!compaction.step(64 << 10)) {
        assertEquals(5, parts.versions.currentOrNull().levels(family).level(0).size());
      }
      writer.close();
      List<TableMeta> seen =
          parts.versions.currentOrNull().levels(family).level(0).stream().map(Table::meta).toList();
      assertEquals(List.of(1L, 4L * 80 + 1), seen.stream().map(TableMeta::entries).toList());
      assertEquals(seen, parts.tables.manifest().family(family.id()).level(0));
    } finally {
      parts.close();
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, lazy, engine.crash(1))) {
      assertEquals("newest", Fixtures.text(store.get(key(7))));
      assertEquals("merged 3", Fixtures.text(store.get(key(1_999))));
      assertEquals("merged", Fixtures.text(store.get(key(579))).substring(0, 6));
      assertEquals("old", Fixtures.text(store.get(key(580))).substring(0, 3));
      assertEquals(2, store.stats().levels().getFirst().tables());
    }
  }

  /** Values of some length that begin with a text. */
  private static void put(Store store, int from, int to, String text) throws Exception {
    for (int i = from; i < to; i++) {
      byte[] value = Arrays.copyOf(Fixtures.bytes(text), 1_000);
      store.put(key(i), value, Durability.NONE);
    }
  }
}
