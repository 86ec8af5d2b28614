package io.ewok.gds.bench.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KvRunTest {
  private static final int ENTRIES = 2_000;
  private static final long WATCHED_NANOS = 3_000_000;

  @TempDir private Path directory;

  /** LMDB's Java side needs more of the JVM than tests are given. */
  private static Stream<Arguments> turns() {
    return Stream.of(KvGroup.values())
        .flatMap(
            group ->
                group.contenders().stream()
                    .filter(contender -> contender != KvContender.LMDB)
                    .map(contender -> Arguments.of(group, contender)));
  }

  @ParameterizedTest
  @EnumSource(names = {"SEQUENTIAL", "CACHED", "SYNCED", "BREADTH", "REMOVAL"})
  void lmdbAnswersRightlyInAJvmOfItsOwn(KvGroup group) throws Exception {
    List<KvCase> cases = KvCase.of(group);
    List<KvSample> samples = KvTurn.run(KvContender.LMDB, cases, ENTRIES, WATCHED_NANOS, directory);
    assertEquals(cases, samples.stream().map(KvSample::one).toList());
  }

  /** A case fails by itself if an answer is wrong. */
  @ParameterizedTest
  @MethodSource("turns")
  void everybodyAnswersRightly(KvGroup group, KvContender contender) throws Exception {
    KvSettings settings = KvSettings.of(group, ENTRIES, WATCHED_NANOS);
    KvData data = new KvData(settings.entries());
    try (KvStore store = contender.open(directory, settings, data)) {
      KvRun run = new KvRun(contender, settings, data, store, directory);
      for (KvCase one : KvCase.of(group)) {
        KvSample sample = run.run(one);
        assertTrue(sample.perSecond() > 0, sample::toLine);
        assertEquals(sample, KvSample.parse(sample.toLine()));
      }
    }
  }

  @Test
  void lostValueIsNoticed() throws Exception {
    KvData data = new KvData(ENTRIES);
    KvData empty = new KvData(ENTRIES);
    KvSettings settings = KvSettings.of(KvGroup.CACHED, ENTRIES, WATCHED_NANOS);
    try (KvStore store = new EmptyKvStore(empty)) {
      KvRun run = new KvRun(KvContender.EMPTY, settings, data, store, directory);
      run.run(KvCase.FILL_RANDOM);
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.READ_RANDOM));
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.SCAN));
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.SCAN_BACKWARD));
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.SEEK));
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.SEEKS));
    }
  }

  @Test
  void recordsThatAreStillThereAfterADeleteAreNoticed() throws Exception {
    KvData data = new KvData(ENTRIES);
    KvData undeleted = new KvData(ENTRIES);
    KvSettings settings = KvSettings.of(KvGroup.BREADTH, ENTRIES, WATCHED_NANOS);
    try (KvStore store = new EmptyKvStore(undeleted)) {
      new KvRun(KvContender.EMPTY, settings, undeleted, store, directory).run(KvCase.BREADTH_LOAD);
      KvRun run = new KvRun(KvContender.EMPTY, settings, data, store, directory);
      run.run(KvCase.BREADTH_LOAD);
      run.run(KvCase.READ_WHOLE);
      run.run(KvCase.SCAN_WHOLE);
      run.run(KvCase.DELETE_RANGE);
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.READ_RANGES));
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.SCAN_RANGES));
    }
  }

  @Test
  void recordsThatARangeDeleteHasTakenTooManyAreNoticed() throws Exception {
    KvData data = new KvData(ENTRIES);
    KvData deleted = new KvData(ENTRIES);
    KvSettings settings = KvSettings.of(KvGroup.BREADTH, ENTRIES, WATCHED_NANOS);
    try (KvStore store = new EmptyKvStore(deleted)) {
      for (KvData each : List.of(deleted, data)) {
        KvRun run = new KvRun(KvContender.EMPTY, settings, each, store, directory);
        run.run(KvCase.BREADTH_LOAD);
        run.run(KvCase.DELETE_RANGE);
      }
      int kept = 0;
      while (!deleted.isThere(kept)) {
        kept++;
      }
      deleted.setDeleted(kept, kept + 1);
      KvRun run = new KvRun(KvContender.EMPTY, settings, data, store, directory);
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.SCAN_RANGES));
    }
  }

  /** What is to be gone is still there, or what is to stay is gone. */
  @ParameterizedTest
  @EnumSource(names = {"SINGLE_DELETE", "COMPACT_FILTERED", "COMPACT_EXPIRED"})
  void recordsThatAreLeftOrTakenWronglyAreNoticed(KvCase removal) throws Exception {
    KvCase load = KvCase.of(removal.group()).getFirst();
    KvSettings settings = KvSettings.of(removal.group(), ENTRIES, WATCHED_NANOS);
    for (boolean takesAll : new boolean[] {false, true}) {
      KvData data = new KvData(ENTRIES);
      KvData ofStore = new KvData(ENTRIES);
      try (KvStore store = new EmptyKvStore(ofStore)) {
        KvRun run = new KvRun(KvContender.EMPTY, settings, data, store, directory);
        run.run(load);
        if (!takesAll) {
          new KvRun(KvContender.EMPTY, settings, ofStore, store, directory).run(load);
        }
        assertThrows(IllegalStateException.class, () -> run.run(removal));
      }
    }
  }

  @Test
  void lostOperandIsNoticed() throws Exception {
    KvData data = new KvData(ENTRIES);
    KvData empty = new KvData(ENTRIES);
    KvSettings settings = KvSettings.of(KvGroup.BREADTH, ENTRIES, WATCHED_NANOS);
    try (KvStore store = new EmptyKvStore(empty)) {
      KvRun run = new KvRun(KvContender.EMPTY, settings, data, store, directory);
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.MERGE));
      assertThrows(IllegalStateException.class, () -> run.run(KvCase.READ_MERGED));
    }
  }

  @Test
  void putThatIsLostInTheSecondFamilyIsNoticed() throws Exception {
    KvData ofOneFamily = new KvData(ENTRIES);
    KvSettings settings = KvSettings.of(KvGroup.BREADTH, ENTRIES, WATCHED_NANOS);
    try (KvStore store = new EmptyKvStore(ofOneFamily)) {
      new KvRun(KvContender.EMPTY, settings, ofOneFamily, store, directory)
          .run(KvCase.BREADTH_LOAD);
      KvRun lost = new KvRun(KvContender.EMPTY, settings, new KvData(ENTRIES), store, directory);
      assertThrows(IllegalStateException.class, () -> lost.run(KvCase.FAMILIES));
      ofOneFamily.setSecondLoaded();
      new KvRun(KvContender.EMPTY, settings, new KvData(ENTRIES), store, directory)
          .run(KvCase.FAMILIES);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {ENTRIES, 200_000, 500_001})
  void rangesDoNotOverlapAndLeaveMostRecords(int entries) {
    KvRanges ranges = new KvRanges(entries);
    BitSet deleted = new BitSet();
    int records = 0;
    for (int i = 0; i < ranges.count(); i++) {
      records += ranges.end(i) - ranges.first(i);
      deleted.set(ranges.first(i), ranges.end(i));
    }
    assertEquals(records, deleted.cardinality());
    assertEquals(Math.min(1000, entries / 200), ranges.count());
    assertEquals(50.0, (double) records / ranges.count(), 15);
    assertTrue(deleted.length() <= entries);
  }

  @Test
  void oldAndForeignValuesAreNoticed() {
    KvData data = new KvData(ENTRIES);
    KvBuffers buffers = new KvBuffers();
    data.putValue(buffers.value, 7, 3);
    assertTrue(KvData.isHead(buffers.value, 7, 3, 3) && data.isBody(buffers.value, 7));
    assertTrue(!KvData.isHead(buffers.value, 7, 4, 5));
    assertTrue(!KvData.isHead(buffers.value, 8, 1, 5));
    buffers.valueBytes.put(KvData.VALUE_BYTES - 1, (byte) ~buffers.valueBytes.get(99));
    assertTrue(!data.isBody(buffers.value, 7));
  }

  @Test
  void emptySlotsAreEachOfThemOnceAndNoRecords() {
    KvData data = new KvData(ENTRIES);
    long records =
        Stream.iterate(0, i -> i + 1).limit(ENTRIES).map(data::slotOfRecord).distinct().count();
    long others =
        Stream.iterate(0, i -> i + 1)
            .limit(data.emptySlots())
            .map(data::emptySlot)
            .distinct()
            .count();
    assertEquals(ENTRIES, records);
    assertEquals(data.emptySlots(), others);
    assertTrue(
        Stream.iterate(0, i -> i + 1)
            .limit(ENTRIES)
            .map(data::slotOfRecord)
            .noneMatch(slot -> slot % 16 == 15));
  }

  @Test
  void firstRankIsTheMostFrequent() {
    Zipf zipf = new Zipf(1000, new SplittableRandom(1));
    int[] counts = new int[1000];
    for (int i = 0; i < 100_000; i++) {
      counts[zipf.next()]++;
    }
    // One in the sum of 1 / rank^0.99 over all ranks, which is 7.73.
    assertTrue(Math.abs(counts[0] - 12_937) < 600, "count=" + counts[0]);
    assertTrue(counts[0] > counts[1] && counts[1] > counts[20] && counts[20] > counts[500]);
  }
}
