package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever goes, each reader sees what it saw, whatever older records there are elsewhere. */
class VersionReducerTest {
  private static final long[] NEWEST = {RecordKind.SEQUENCE_MAX};

  private record Version(String key, long stamp, String value) {
    static Version of(String key, long sequence, int kind, String value) {
      return new Version(key, RecordKind.stamp(sequence, kind), value);
    }

    int kind() {
      return RecordKind.kind(stamp);
    }
  }

  /** Records elsewhere, older than all that is reduced. */
  private record Older(List<Version> versions, boolean rangeHasAll) implements OlderRecords {
    static final Older NONE = new Older(List.of(), false);

    @Override
    public boolean mayHave(SearchKey key) {
      return rangeHasAll || mayHaveByFilters(key);
    }

    @Override
    public boolean mayHaveByFilters(SearchKey key) {
      String text = Fixtures.text(Fixtures.array(key.segment()));
      return versions.stream().anyMatch(version -> version.key.equals(text));
    }

    @Override
    public boolean mayHaveBetween(MemorySegment first, MemorySegment end) {
      return rangeHasAll;
    }
  }

  private static List<Version> reduce(List<Version> versions, long[] live, Older older)
      throws IOException {
    return reduce(versions, live, older, MergeOperators.append(new byte[0]));
  }

  private static List<Version> reduce(
      List<Version> versions, long[] live, Older older, MergeOperator operator) throws IOException {
    return reduce(versions, live, older, operator, null);
  }

  private static List<Version> reduce(
      List<Version> versions,
      long[] live,
      Older older,
      MergeOperator operator,
      FilterRun filterOrNull)
      throws IOException {
    return reduce(versions, live, ExpiryBounds.NONE, older, operator, filterOrNull, null);
  }

  private static List<Version> reduce(
      List<Version> versions,
      long[] live,
      ExpiryBounds expiry,
      Older older,
      MergeOperator operator,
      FilterRun filterOrNull,
      RangeDeletes rangesOrNull)
      throws IOException {
    List<Version> left = new ArrayList<>();
    VersionReducer reducer =
        new VersionReducer(
            live,
            expiry,
            new Merging(operator, 1000, Fixtures.DIRECTORY),
            filterOrNull,
            older,
            rangesOrNull,
            (newKey, key, stamp, valueAddress, valueBytes) -> {
              String text = Fixtures.text(Fixtures.array(key.segment()));
              assertEquals(left.isEmpty() || !left.getLast().key.equals(text), newKey);
              left.add(new Version(text, stamp, text(valueAddress, valueBytes)));
            });
    try (Arena arena = Arena.ofConfined()) {
      for (Version version : versions) {
        MemorySegment key = copy(arena, version.key);
        MemorySegment value = copy(arena, version.value);
        reducer.take(
            version.stamp,
            key.address(),
            version.key.length(),
            value.address(),
            version.value.length());
        key.fill((byte) 'x'); // it is anything by the next call
        value.fill((byte) 'x');
      }
    }
    reducer.end();
    return left;
  }

  private static MemorySegment copy(Arena arena, String text) {
    MemorySegment copy = arena.allocate(text.length() + 16);
    return copy.copyFrom(MemorySegment.ofArray(Fixtures.bytes(text)));
  }

  private static String text(long address, int lengthBytes) {
    return Fixtures.text(Fixtures.array(Memory.view(address, lengthBytes)));
  }

  /** What a reader sees of a key. */
  private static String read(List<Version> versions, Older older, String key, long sequence) {
    return read(versions, older, key, sequence, 0);
  }

  /** The same if something has expired. */
  private static String read(
      List<Version> versions, Older older, String key, long sequence, long floor) {
    List<Version> all = new ArrayList<>(versions);
    all.addAll(older.versions);
    String operands = null;
    for (Version version : all) {
      if (version.key.equals(key) && RecordKind.sequence(version.stamp) <= sequence) {
        if (RecordKind.isDelete(version.kind()) || RecordKind.sequence(version.stamp) < floor) {
          return operands;
        }
        operands = version.value + (operands == null ? "" : operands);
        if (version.kind() == RecordKind.PUT) {
          return operands;
        }
      }
    }
    return operands;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void eachReaderSeesWhatItSaw(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    SplittableRandom random = new SplittableRandom(seed);
    SplittableRandom others = new SplittableRandom(~seed);
    for (int round = 0; round < 3_000; round++) {
      List<Version> versions = new ArrayList<>();
      List<Version> elsewhere = new ArrayList<>();
      for (String key : List.of("", "a", "aa", "b")) {
        long sequence = 100;
        for (int i = random.nextInt(8); i > 0; i--) {
          sequence -= 1 + random.nextInt(8);
          versions.add(version(key, sequence, random));
        }
        if (random.nextInt(3) == 0) {
          elsewhere.add(version(key, 10, random));
        }
      }
      Older older = new Older(elsewhere, random.nextBoolean());
      long[] live =
          LongStream.generate(() -> 5 + random.nextInt(100))
              .limit(1 + random.nextInt(4))
              .sorted()
              .distinct()
              .toArray();
      RangeDeletes ranges = ranges(others);
      List<Version> left =
          reduce(versions, live, ExpiryBounds.NONE, older, operator(random), null, ranges);
      String replay =
          "round=%d %s %s %s"
              .formatted(
                  round,
                  versions,
                  LongStream.of(live).boxed().toList(),
                  ranges == null ? "" : ranges.all());
      for (String key : List.of("", "a", "aa", "b")) {
        for (long reader : live) {
          check(
              versions,
              left,
              older,
              ranges,
              key,
              reader,
              replay + Fixtures.replay(getClass(), seed));
        }
        for (long later = live[live.length - 1]; later <= 100; later++) {
          check(
              versions,
              left,
              older,
              ranges,
              key,
              later,
              replay + Fixtures.replay(getClass(), seed));
        }
      }
    }
  }

  private static void check(
      List<Version> before,
      List<Version> after,
      Older older,
      RangeDeletes ranges,
      String key,
      long at,
      String replay) {
    SearchKey wanted = new SearchKey().set(MemorySegment.ofArray(Fixtures.bytes(key)));
    long floor = ranges == null ? 0 : ranges.newest(wanted, at);
    assertEquals(
        read(before, older, key, at, floor),
        read(after, older, key, at, floor),
        "key=" + key + " at=" + at + replay);
  }

  /** Some are older than all records, or newer. */
  private static RangeDeletes ranges(SplittableRandom random) {
    List<RangeDelete> ranges = new ArrayList<>();
    List<String> keys = List.of("", "a", "aa", "b", "c");
    for (int i = random.nextInt(4); i > 0; i--) {
      int first = random.nextInt(4);
      int end = first + 1 + random.nextInt(4 - first);
      ranges.add(
          new RangeDelete(
              MemorySegment.ofArray(Fixtures.bytes(keys.get(first))),
              MemorySegment.ofArray(Fixtures.bytes(keys.get(end))),
              1 + random.nextInt(105)));
    }
    return RangeDeletes.ofOrNull(ranges);
  }

  private static Version version(String key, long sequence, SplittableRandom random) {
    int kind = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : RecordKind.OPERAND;
    return Version.of(key, sequence, kind, RecordKind.isDelete(kind) ? "" : "v" + sequence);
  }

  /** One that combines or not, or fails now and then, or none. */
  private static MergeOperator operator(SplittableRandom random) {
    int which = random.nextInt(4);
    SplittableRandom failures = random.split();
    MergeOperator append = MergeOperators.append(new byte[0]);
    return which == 0
        ? MergeOperator.NONE
        : new MergeOperator() {
          @Override
          public String name() {
            return "append";
          }

          @Override
          public void merge(MemorySegment key, Operands operands, ResultBytes result) {
            if (which == 1 && failures.nextBoolean()) {
              throw new IllegalStateException("by chance");
            }
            append.merge(key, operands, result);
          }

          @Override
          public boolean combine(MemorySegment key, Operands operands, ResultBytes result) {
            if (which == 1 && failures.nextBoolean()) {
              throw new IllegalStateException("by chance");
            }
            return which < 3 && append.combine(key, operands, result);
          }
        };
  }

  @Test
  void operandsBecomeAValueWhereNothingOlderCanBe() throws Exception {
    Version third = Version.of("a", 9, RecordKind.OPERAND, "3");
    Version second = Version.of("a", 8, RecordKind.OPERAND, "2");
    Version value = Version.of("a", 9, RecordKind.PUT, "123");
    Version put = Version.of("a", 5, RecordKind.PUT, "1");
    Version delete = Version.of("a", 4, RecordKind.DELETE, "");
    assertEquals(List.of(value), reduce(List.of(third, second, put), NEWEST, Older.NONE));
    Older range = new Older(List.of(), true);
    assertEquals(List.of(value), reduce(List.of(third, second, put, delete), NEWEST, range));
    Version both = Version.of("a", 9, RecordKind.PUT, "23");
    assertEquals(List.of(both), reduce(List.of(third, second, delete), NEWEST, range));
    assertEquals(List.of(both), reduce(List.of(third, second), NEWEST, Older.NONE));
    Version one = Version.of("a", 9, RecordKind.OPERAND, "23");
    assertEquals(List.of(one), reduce(List.of(third, second), NEWEST, range));
    assertEquals(List.of(third, second), reduce(List.of(third, second), new long[] {8, 9}, range));
  }

  @Test
  void operandsAndWhatTheyStandOnStayIfTheOperatorFails() throws Exception {
    List<Version> versions =
        List.of(
            Version.of("a", 9, RecordKind.OPERAND, "12345678"),
            Version.of("a", 8, RecordKind.OPERAND, "12345678"),
            Version.of("a", 5, RecordKind.PUT, "no number"),
            Version.of("a", 4, RecordKind.PUT, "hidden"));
    Version sum = Version.of("a", 9, RecordKind.OPERAND, "bdfhjlnp");
    assertEquals(
        List.of(sum, versions.get(2)),
        reduce(versions, NEWEST, Older.NONE, MergeOperators.add64()));
    assertEquals(versions.subList(0, 3), reduce(versions, NEWEST, Older.NONE, MergeOperator.NONE));
  }

  /** Only those that are always seen together. */
  @Test
  void operandsThatExpireTogetherBecomeOne() throws Exception {
    MergeOperator append = MergeOperators.append(new byte[0]);
    Version fourth = Version.of("a", 9, RecordKind.OPERAND, "4");
    Version third = Version.of("a", 8, RecordKind.OPERAND, "3");
    Version second = Version.of("a", 6, RecordKind.OPERAND, "2");
    Version put = Version.of("a", 5, RecordKind.PUT, "1");
    List<Version> versions = List.of(fourth, third, second, put);
    Version young = Version.of("a", 9, RecordKind.OPERAND, "34");
    Version old = Version.of("a", 6, RecordKind.PUT, "12");
    for (ExpiryBounds expiry :
        List.of(
            new ExpiryBounds(LongStream.of(0), LongStream.of(4, 8, 10)),
            new ExpiryBounds(LongStream.of(7, 0), LongStream.empty()),
            ExpiryBounds.ofRecovery(new WriteTimes(2, List.of(new WriteTimes.Point(7, 1)))))) {
      assertEquals(
          List.of(young, old), reduce(versions, NEWEST, expiry, Older.NONE, append, null, null));
    }
    assertEquals(
        List.of(Version.of("a", 9, RecordKind.PUT, "34")),
        reduce(
            versions,
            NEWEST,
            new ExpiryBounds(LongStream.of(8), LongStream.empty()),
            Older.NONE,
            append,
            null,
            null));
  }

  /** Up to five, newest first, with at most so much between their numbers. */
  private static List<Version> versionsOfOneKey(SplittableRandom random, int stepMax) {
    List<Version> versions = new ArrayList<>();
    long sequence = 90;
    for (int i = random.nextInt(6); i > 0; i--) {
      sequence -= 1 + random.nextInt(stepMax);
      versions.add(version("a", sequence, random));
    }
    return versions;
  }

  /** What the filter decides is seen by those who see the newest, and by nobody else. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void filtersDecideForTheNewestReaderAlone(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 3_000; round++) {
      List<Version> versions = versionsOfOneKey(random, 8);
      Older older =
          new Older(
              random.nextBoolean() ? List.of(version("a", 10, random)) : List.of(),
              random.nextBoolean());
      long snapshot = random.nextInt(100);
      long cursor = random.nextInt(100);
      long[] live = LongStream.of(snapshot, cursor, 100).sorted().distinct().toArray();
      boolean removes = random.nextBoolean();
      FilterRun filter =
          new FilterRun(
              (key, value, result) -> {
                result.set(MemorySegment.ofArray(new byte[] {'!'}), 0, 1);
                return removes
                    ? CompactionFilter.Decision.REMOVE
                    : CompactionFilter.Decision.CHANGE;
              },
              snapshot,
              100,
              1000);
      List<Version> left =
          reduce(versions, live, older, MergeOperators.append(new byte[0]), filter);
      String replay = "%s %s ".formatted(versions, left) + Fixtures.replay(getClass(), seed);
      check(versions, left, older, null, "a", snapshot, replay);
      if (filter.hasActed()) {
        assertEquals(removes ? null : "!", read(left, older, "a", 100), replay);
      } else {
        check(versions, left, older, null, "a", 100, replay);
      }
      boolean isValue =
          !versions.isEmpty()
              && versions.getFirst().kind() == RecordKind.PUT
              && RecordKind.sequence(versions.getFirst().stamp) > snapshot;
      assertTrue(filter.hasActed() || !isValue, replay);
    }
  }

  /** Wherever expired records are dropped, here and elsewhere, nothing that they hid is seen. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void whatHasExpiredHidesNothingThatHasNot(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    SplittableRandom random = new SplittableRandom(seed);
    SplittableRandom others = new SplittableRandom(~seed);
    for (int round = 0; round < 3_000; round++) {
      List<Version> versions = versionsOfOneKey(random, 12);
      List<Version> elsewhere = new ArrayList<>();
      for (int i = random.nextInt(3); i > 0; i--) {
        elsewhere.add(version("a", 10 + i, random));
      }
      Older older = new Older(elsewhere, random.nextBoolean());
      long floor = random.nextInt(100);
      long[] live = {random.nextInt(100), 100};
      Arrays.sort(live);
      // Other readers, and all of them later.
      long[] floors = {floor, others.nextLong(floor, 101), others.nextLong(floor, 101)};
      ExpiryBounds expiry =
          new ExpiryBounds(LongStream.of(floors[1], floor), LongStream.of(floors[2]));
      List<Version> left =
          reduce(versions, live, expiry, older, MergeOperators.append(new byte[0]), null, null);
      List<Version> dropped = new ArrayList<>(elsewhere);
      dropped.removeIf(
          version -> RecordKind.sequence(version.stamp) < floor && random.nextBoolean());
      String replay = "floor=%d %s %s ".formatted(floor, versions, elsewhere);
      for (long at : live) {
        for (long of : floors) {
          assertEquals(
              read(versions, older, "a", at, of),
              read(left, new Older(dropped, true), "a", at, of),
              "at=%d of=%d ".formatted(at, of) + replay + Fixtures.replay(getClass(), seed));
        }
      }
    }
  }

  @Test
  void deletesGoWhereNothingOlderCanBe() throws Exception {
    for (int kind : new int[] {RecordKind.DELETE, RecordKind.SINGLE_DELETE}) {
      List<Version> versions =
          List.of(Version.of("a", 9, kind, ""), Version.of("a", 5, RecordKind.PUT, "v"));
      assertEquals(List.of(), reduce(versions, NEWEST, Older.NONE));
      assertEquals(List.of(), reduce(versions, new long[] {9}, Older.NONE));
      assertEquals(versions, reduce(versions, new long[] {8}, Older.NONE));
      assertEquals(versions, reduce(versions, new long[] {6, 10}, Older.NONE));
    }
  }

  @Test
  void onlySingleDeletesLookAtFilters() throws Exception {
    Older range = new Older(List.of(), true);
    Version put = Version.of("a", 5, RecordKind.PUT, "v");
    Version delete = Version.of("a", 9, RecordKind.DELETE, "");
    Version single = Version.of("a", 9, RecordKind.SINGLE_DELETE, "");
    assertEquals(List.of(delete), reduce(List.of(delete, put), NEWEST, range));
    assertEquals(List.of(), reduce(List.of(single, put), NEWEST, range));
    assertEquals(
        List.of(single),
        reduce(
            List.of(single, put),
            NEWEST,
            new Older(List.of(Version.of("a", 1, RecordKind.PUT, "old")), true)));
  }

  @Test
  void whatARangeDeleteHidesGoesIfAllReadersSeeIt() throws Exception {
    Version newest = Version.of("a", 9, RecordKind.PUT, "9");
    Version hidden = Version.of("a", 5, RecordKind.PUT, "5");
    RangeDeletes range = range("a", "b", 7);
    assertEquals(List.of(), reduce(List.of(hidden), new long[] {8}, range));
    assertEquals(List.of(hidden), reduce(List.of(hidden), new long[] {6, 8}, range));
    assertEquals(List.of(hidden), reduce(List.of(hidden), new long[] {6}, range));
    assertEquals(List.of(newest), reduce(List.of(newest, hidden), new long[] {8}, range));
    assertEquals(
        List.of(newest, hidden), reduce(List.of(newest, hidden), new long[] {6, 8}, range));
    assertEquals(List.of(hidden), reduce(List.of(hidden), NEWEST, range("", "a", 7)));
    assertEquals(List.of(hidden), reduce(List.of(hidden), NEWEST, range("a", "b", 4)));
  }

  /** As in a table of range deletes alone, which would be as new as they are for it. */
  @Test
  void deleteGoesThatARangeDeleteIsToo() throws Exception {
    Older range = new Older(List.of(), true);
    Version newest = Version.of("a", 9, RecordKind.PUT, "9");
    Version delete = Version.of("a", 7, RecordKind.DELETE, "");
    Version put = Version.of("a", 5, RecordKind.PUT, "5");
    RangeDeletes same = range("a", "b", 7);
    long[] live = {6, 7, 9};
    assertEquals(List.of(newest, put), reduce(List.of(newest, delete, put), live, range, same));
    assertEquals(List.of(), reduce(List.of(delete, put), new long[] {7}, range, same));
    for (RangeDeletes other : List.of(range("a", "b", 6), range("b", "c", 7))) {
      assertEquals(List.of(delete), reduce(List.of(delete), new long[] {7}, range, other));
    }
    assertEquals(
        List.of(delete), reduce(List.of(delete), new long[] {6}, range, same), "nobody sees it");
    Version other = Version.of("a", 7, RecordKind.PUT, "7");
    assertEquals(List.of(other), reduce(List.of(other), new long[] {7}, range, same));
  }

  /** A cursor still sees it: that is no newest value, which a filter decides about. */
  @Test
  void filterIsNotAskedForWhatARangeDeleteHides() throws Exception {
    FilterRun filter =
        new FilterRun((key, value, result) -> CompactionFilter.Decision.REMOVE, -1, 100, 1000);
    List<Version> hidden = List.of(Version.of("a", 5, RecordKind.PUT, "5"));
    long[] live = {6, 8};
    RangeDeletes range = range("a", "b", 7);
    assertEquals(
        hidden,
        reduce(hidden, live, ExpiryBounds.NONE, Older.NONE, MergeOperator.NONE, filter, range));
    assertFalse(filter.hasActed());
    assertEquals(
        List.of(),
        reduce(hidden, live, ExpiryBounds.NONE, Older.NONE, MergeOperator.NONE, filter, null));
  }

  private static List<Version> reduce(
      List<Version> versions, long[] live, Older older, RangeDeletes ranges) throws IOException {
    return reduce(versions, live, ExpiryBounds.NONE, older, MergeOperator.NONE, null, ranges);
  }

  private static List<Version> reduce(List<Version> versions, long[] live, RangeDeletes ranges)
      throws IOException {
    return reduce(versions, live, ExpiryBounds.NONE, Older.NONE, MergeOperator.NONE, null, ranges);
  }

  private static RangeDeletes range(String first, String end, long sequence) {
    return RangeDeletes.ofOrNull(
        List.of(
            new RangeDelete(
                MemorySegment.ofArray(Fixtures.bytes(first)),
                MemorySegment.ofArray(Fixtures.bytes(end)),
                sequence)));
  }
}
