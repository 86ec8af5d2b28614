package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Whoever may read sees the same with what is left of range deletes. */
class RangeReducerTest {
  private static MemorySegment key(String text) {
    return MemorySegment.ofArray(Fixtures.bytes(text));
  }

  private static RangeDelete delete(String first, String end, long sequence) {
    return new RangeDelete(key(first), key(end), sequence);
  }

  private static String text(List<RangeDelete> deletes) {
    List<String> text = new ArrayList<>();
    for (RangeDelete delete : deletes) {
      text.add(
          "%s-%s@%d"
              .formatted(
                  Fixtures.text(Fixtures.array(delete.first())),
                  Fixtures.text(Fixtures.array(delete.end())),
                  delete.sequence()));
    }
    return String.join(" ", text);
  }

  private static String reduce(
      List<RangeDelete> deletes, long[] live, long floor, OlderRecords older) {
    return text(RangeReducer.reduce(deletes, live, floor, older));
  }

  @Test
  void newestOfEachReaderStays() {
    List<RangeDelete> deletes =
        List.of(delete("a", "z", 3), delete("c", "f", 5), delete("d", "e", 8));
    assertEquals(
        "a-c@3 c-d@5 d-e@8 e-f@5 f-z@3", reduce(deletes, new long[] {9}, 0, OlderRecords.UNKNOWN));
    assertEquals(
        "a-z@3 c-d@5 d-e@8 e-f@5", reduce(deletes, new long[] {4, 9}, 0, OlderRecords.UNKNOWN));
    assertEquals(
        "a-z@3 c-f@5 d-e@8", reduce(deletes, new long[] {4, 6, 9}, 0, OlderRecords.UNKNOWN));
  }

  @Test
  void partsOfADeleteAreOneAgain() {
    assertEquals(
        "a-z@3 c-f@5",
        reduce(
            List.of(delete("a", "d", 3), delete("c", "f", 5), delete("d", "z", 3)),
            new long[] {4, 9},
            0,
            OlderRecords.UNKNOWN));
  }

  @Test
  void whatHidesNothingGoesIfAllReadersSeeIt() {
    List<RangeDelete> deletes = List.of(delete("a", "c", 3), delete("b", "d", 5));
    assertEquals("", reduce(deletes, new long[] {9}, 0, OlderRecords.NONE));
    assertEquals("b-d@5", reduce(deletes, new long[] {4, 9}, 0, OlderRecords.NONE));
    assertEquals("a-c@3 b-d@5", reduce(deletes, new long[] {2}, 0, OlderRecords.NONE));
  }

  @Test
  void whatHasExpiredGoes() {
    List<RangeDelete> deletes = List.of(delete("a", "c", 3), delete("b", "d", 5));
    assertEquals("b-d@5", reduce(deletes, new long[] {9}, 4, OlderRecords.UNKNOWN));
  }

  @Test
  void readersSeeTheSame() {
    SplittableRandom random = new SplittableRandom(Fixtures.seed(3));
    int fewer = 0;
    for (int round = 0; round < 300; round++) {
      List<RangeDelete> deletes = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        int first = random.nextInt(20);
        deletes.add(
            delete(
                "%02d".formatted(first),
                "%02d".formatted(first + 1 + random.nextInt(8)),
                20 * i + 1 + random.nextInt(20)));
      }
      long[] live = LongStream.generate(() -> 1 + random.nextInt(250)).limit(3).sorted().toArray();
      List<RangeDelete> left = RangeReducer.reduce(deletes, live, 0, OlderRecords.UNKNOWN);
      fewer += left.size() < deletes.size() ? 1 : 0;
      RangeDeletes before = RangeDeletes.ofOrNull(deletes);
      RangeDeletes after = RangeDeletes.ofOrNull(left);
      SearchKey wanted = new SearchKey();
      for (int i = 0; i < 30; i++) {
        wanted.set(key("%02d".formatted(i)));
        for (long reader : live) {
          assertEquals(
              before.newest(wanted, reader), after == null ? 0 : after.newest(wanted, reader));
        }
        for (long later = live[2]; later < 260; later++) {
          assertEquals(
              before.newest(wanted, later), after == null ? 0 : after.newest(wanted, later));
        }
      }
    }
    assertTrue(fewer > 10, "fewer: " + fewer);
  }
}
