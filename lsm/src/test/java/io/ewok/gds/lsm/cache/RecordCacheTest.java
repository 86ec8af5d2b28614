package io.ewok.gds.lsm.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A record cache beside a map of what tables have. */
class RecordCacheTest {
  private static final int BYTES = 64 << 10;
  private static final long NEWEST = RecordKind.SEQUENCE_MAX;

  private final MemoryBudget budget = MemoryBudget.root("test", BYTES);
  private final RecordCache cache = new RecordCache(budget, RegionOptions.ofSize(BYTES));
  private final CachedRecord found = new CachedRecord();
  private final SearchKey key = new SearchKey();

  @AfterEach
  void close() {
    cache.close();
    assertEquals(0, budget.usedBytes());
  }

  private SearchKey key(String text) {
    return key.set(MemorySegment.ofArray(Fixtures.bytes(text)));
  }

  private void offer(String text, int family, long sequence, String value, long tables) {
    byte[] bytes = Fixtures.bytes(value);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(bytes.length + Long.BYTES, Long.BYTES);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, copy, 0, bytes.length);
      cache.offer(
          key(text),
          family,
          RecordKind.stamp(sequence, RecordKind.PUT),
          copy.address(),
          bytes.length,
          tables);
    }
  }

  private String find(String text, int family, long sequence, long tables, long changed) {
    boolean isFound = cache.find(key(text), family, sequence, tables, changed, found);
    return isFound ? Fixtures.text(Fixtures.array(found.value())) : null;
  }

  private void changed(String text, int family, long tables) {
    SearchKey of = key(text);
    cache.changed(of.address(), of.lengthBytes(), family, tables);
  }

  @Test
  void formatFillsTheBucket() {
    assertEquals(64, BucketFormat.MARKS, "what a search begins with is one line");
    assertEquals(128, BucketFormat.RECORDS);
    assertEquals(0, BucketFormat.RECORDS % BucketFormat.UNIT_BYTES);
    assertEquals(240, BucketFormat.RECORDS_UNITS, "a place has a byte");
    assertEquals(480, BucketFormat.RECORD_BYTES_MAX);
  }

  @Test
  void recordIsFoundByWhoMaySeeIt() {
    offer("key", 3, 10, "value", 5);
    assertEquals("value", find("key", 3, 10, 5, 0));
    assertEquals(RecordKind.stamp(10, RecordKind.PUT), found.stamp());
    assertEquals("value", find("key", 3, NEWEST, 9, 5));
    assertEquals(null, find("key", 3, 9, 5, 0), "of an earlier sequence number");
    assertEquals(null, find("key", 3, NEWEST, 4, 0), "of earlier tables");
    assertEquals(null, find("key", 3, NEWEST, 9, 6), "of tables that changed as a whole");
    assertEquals(null, find("key", 4, NEWEST, 9, 0), "of another family");
    assertEquals(null, find("kez", 3, NEWEST, 9, 0));
    assertEquals(new RecordCacheStats(2, 5, 1, 24 + 3 + 5), cache.stats());
  }

  @Test
  void recordThatChangedIsGoneAndDoesNotComeBackFromOldTables() {
    offer("key", 0, 10, "old", 5);
    changed("key", 0, 6);
    assertEquals(null, find("key", 0, NEWEST, 6, 0));
    offer("key", 0, 10, "old", 5);
    assertEquals(null, find("key", 0, NEWEST, 6, 0));
    offer("key", 0, 20, "new", 6);
    assertEquals("new", find("key", 0, NEWEST, 6, 0));
    offer("key", 0, 20, "new", 6);
    assertEquals(1, cache.stats().records());
  }

  @Test
  void recordOfNewerTablesTakesThePlaceOfAnOlderOne() {
    offer("key", 0, 10, "old", 5);
    offer("key", 0, 20, "new", 7);
    assertEquals("new", find("key", 0, NEWEST, 7, 6));
    offer("key", 0, 10, "old", 5);
    assertEquals("new", find("key", 0, NEWEST, 7, 6));
    assertEquals(new RecordCacheStats(2, 0, 1, 24 + 3 + 3), cache.stats());
  }

  @Test
  void keysAndValuesMayBeEmptyButNotTooLong() {
    offer("", 0, 1, "", 1);
    assertEquals("", find("", 0, NEWEST, 1, 0));
    String most = "v".repeat(BucketFormat.RECORD_BYTES_MAX - BucketFormat.KEY - 3);
    offer("key", 0, 1, most, 1);
    assertEquals(most, find("key", 0, NEWEST, 1, 0));
    offer("kez", 0, 1, most + "v", 1);
    assertEquals(null, find("kez", 0, NEWEST, 1, 0));
    assertThrows(
        IllegalArgumentException.class, () -> new RecordCache(budget, RegionOptions.ofSize(4096)));
  }

  /** All that comes and goes, in a cache with room for a part of it. */
  @Test
  void whatIsFoundIsWhatWasOfferedLast() {
    long seed = Fixtures.seed(20_261_122);
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, String> tables = new HashMap<>();
    long number = 1;
    long hits = 0;
    for (int i = 0; i < 200_000; i++) {
      int family = random.nextInt(2);
      String text = "key " + random.nextInt(1 + random.nextInt(3_000));
      String name = family + text;
      if (random.nextInt(10) == 0) {
        number++;
        changed(text, family, number);
        tables.put(name, "%d ".formatted(i).repeat(random.nextInt(1, 60)));
      }
      String value = find(text, family, NEWEST, number, 0);
      if (value != null) {
        assertEquals(tables.get(name), value, "seed=" + seed);
        hits++;
      } else if (tables.containsKey(name)) {
        offer(text, family, i, tables.get(name), number);
      }
    }
    RecordCacheStats stats = cache.stats();
    assertEquals(hits, stats.hits());
    assertTrue(hits > 5_000, stats::toString);
    assertTrue(stats.records() > 150 && stats.bytes() < BYTES, stats::toString);
    long there = 0;
    for (Map.Entry<String, String> each : tables.entrySet()) {
      int family = each.getKey().charAt(0) - '0';
      String value = find(each.getKey().substring(1), family, NEWEST, number, 0);
      there += value == null ? 0 : 1;
      assertTrue(value == null || value.equals(each.getValue()));
    }
    assertEquals(stats.records(), there, "each is counted, and found");
  }

  @Test
  void whatIsReadOnceDoesNotComeInWhereThereIsNoRoom() {
    for (int i = 0; i < 3_000; i++) {
      offer("key " + i, 0, 1, "v".repeat(100), 1);
    }
    long full = cache.stats().records();
    assertFalse(full > BYTES / 128, "more than there is room for: " + full);
    offer("another", 0, 1, "v".repeat(100), 1);
    assertEquals(null, find("another", 0, NEWEST, 1, 0));
    offer("another", 0, 1, "v".repeat(100), 1);
    assertEquals("v".repeat(100), find("another", 0, NEWEST, 1, 0));
  }
}
