package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.RecoveryMode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;

/** What happens in a store is told: to listeners, by counters, in JFR. */
class StoreEventsTest {
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(2);

  private final SimEngine engine = new SimEngine(1);
  private final List<StoreListener.Flush> flushes = new CopyOnWriteArrayList<>();
  private final List<StoreListener.Compacted> compactions = new CopyOnWriteArrayList<>();
  private final List<StoreListener.Stall> stalls = new CopyOnWriteArrayList<>();

  private final StoreListener listener =
      new StoreListener() {
        @Override
        public void flushed(Flush flush) {
          flushes.add(flush);
          throw new IllegalStateException("a listener that fails");
        }

        @Override
        public void compacted(Compacted compacted) {
          compactions.add(compacted);
        }

        @Override
        public void stalled(Stall stall) {
          stalls.add(stall);
        }
      };

  private static void fill(Store store, int puts) throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < puts; i++) {
      store.put(
          Fixtures.bytes("key" + random.nextInt(3_000)),
          Fixtures.randomBytes(random, 1_000),
          Durability.NONE);
    }
  }

  @Test
  void listenersAndCountersTellTheSame() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS.withListener(listener), engine)) {
      fill(store, 5_000);
      store.compact();
      StoreStats stats = store.stats();
      assertEquals(stats.flushes(), flushes.size());
      assertEquals(
          stats.written().flushBytes(),
          flushes.stream().mapToLong(StoreListener.Flush::bytes).sum());
      assertEquals(
          stats.merges(),
          compactions.stream().filter(c -> c.kind() == CompactionKind.MERGE).count());
      assertEquals(
          stats.written().mergeBytes(),
          compactions.stream().mapToLong(StoreListener.Compacted::bytesWritten).sum());
      assertEquals(stats.stalls().count(), stalls.size());
      for (int level = 0; level < stats.levels().size(); level++) {
        int into = level;
        assertEquals(
            stats.levels().get(level).writtenBytes(),
            compactions.stream()
                .filter(compacted -> compacted.outputLevel() == into)
                .mapToLong(StoreListener.Compacted::bytesWritten)
                .sum());
      }
      assertTrue(stats.spaceAmplification() >= 1);
      assertTrue(stats.written().amplification() > 1);
      assertTrue(stats.levels().stream().allMatch(level -> level.deletes() == 0));
    }
  }

  @Test
  void dropsAreToldAndAreNoMerges() throws Exception {
    StoreOptions fifo =
        OPTIONS
            .withListener(listener)
            .withTree(OPTIONS.tree().withStyle(CompactionStyle.FIFO).withFifoBytes(1 << 20));
    try (Store store = Store.open(Fixtures.DIRECTORY, fifo, engine)) {
      fill(store, 5_000);
      store.flush();
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      StoreStats stats = store.stats();
      assertTrue(compactions.size() > 5);
      for (StoreListener.Compacted dropped : compactions) {
        assertEquals(CompactionKind.DROP, dropped.kind());
        assertEquals(1, dropped.tablesBefore());
        assertEquals(0, dropped.tablesAfter());
        assertEquals(0, dropped.bytesWritten());
      }
      assertEquals(
          stats.written().flushBytes() - stats.levels().getFirst().bytes(),
          compactions.stream().mapToLong(StoreListener.Compacted::bytesRead).sum());
      assertEquals(0, stats.merges());
      assertEquals(0, stats.levels().getFirst().compactions());
      assertEquals(0, stats.levels().getFirst().readBytes());
    }
  }

  /** On whichever level they are. */
  @Test
  void tablesThatARangeDeleteHidesAreToldAsDropped() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS.withListener(listener), engine)) {
      store.put(Fixtures.bytes("k"), Fixtures.bytes("v"), Durability.NONE);
      store.compact();
      compactions.clear();
      store.deleteRange(Fixtures.bytes("a"), Fixtures.bytes("z"), Durability.NONE);
      store.flush();
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      StoreListener.Compacted dropped = compactions.getFirst();
      assertEquals(CompactionKind.DROP, dropped.kind());
      assertEquals(1, dropped.level());
      assertEquals(1, dropped.outputLevel());
      assertEquals(1, dropped.tablesBefore());
      assertEquals(0, store.stats().levels().get(1).tables());
    }
  }

  @Test
  void flightRecorderHasFlushesAndCompactions() throws Exception {
    List<String> names = new CopyOnWriteArrayList<>();
    try (RecordingStream recording = new RecordingStream()) {
      recording.enable("io.ewok.gds.StoreFlush");
      recording.enable("io.ewok.gds.StoreCompaction");
      recording.onEvent(event -> names.add(event.getEventType().getName()));
      recording.startAsync();
      try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
        fill(store, 1_000);
        store.compact();
      }
      recording.stop();
    }
    assertTrue(names.contains("io.ewok.gds.StoreFlush"), names.toString());
    assertTrue(names.contains("io.ewok.gds.StoreCompaction"), names.toString());
  }

  @Test
  void recoveryModeDecidesAboutDamageInTheLog() throws Exception {
    byte[] value = new byte[6_000];
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      for (int i = 0; i < 20; i++) {
        store.put(Fixtures.bytes("key%02d".formatted(i)), value, Durability.SYNCED);
      }
    }
    Path log =
        engine.list(new StoreFiles(Fixtures.DIRECTORY).log()).stream()
            .filter(path -> path.getFileName().toString().startsWith("segment-"))
            .sorted()
            .toList()
            .getFirst();
    boolean found = false;
    for (long offset = 60_000; !found && offset < 64_096; offset += 512) {
      SimEngine damaged = engine.crash(1);
      damaged.flipBit(log, offset);
      try {
        Store.open(Fixtures.DIRECTORY, OPTIONS, damaged).close();
      } catch (CorruptFileException expected) {
        found = true;
        assertThrows(
            CorruptFileException.class,
            () ->
                Store.open(Fixtures.DIRECTORY, OPTIONS.withRecovery(RecoveryMode.STRICT), damaged));
        int prefix = count(damaged.crash(1), RecoveryMode.POINT_IN_TIME, value);
        int salvaged = count(damaged.crash(1), RecoveryMode.SALVAGE, value);
        assertTrue(prefix > 0 && prefix < salvaged, "prefix=" + prefix);
        assertTrue(salvaged < 20, "salvaged=" + salvaged);
      }
    }
    assertTrue(found, "one of the offsets is in a record");
  }

  private static int count(SimEngine damaged, RecoveryMode mode, byte[] value) throws Exception {
    StoreOptions options = OPTIONS.withRecovery(mode);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, damaged)) {
      int count = 0;
      for (int i = 0; i < 20; i++) {
        byte[] got = store.get(Fixtures.bytes("key%02d".formatted(i)));
        if (got != null) {
          assertArrayEquals(value, got);
          count++;
        }
      }
      assertEquals(count, Fixtures.contents(store).size());
      store.put(Fixtures.bytes("new"), value, Durability.SYNCED);
      return count;
    }
  }
}
