package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An explanation counts what the scan did, no more and no less. */
class ScanExplanationTest {
  private static final int RECORDS = 800;
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(Fixtures.TINY.tree().withFilterPrefixBytes(1));

  private final SimEngine engine = new SimEngine(1);
  private Store store;

  /** Keys a000 to a799 in tables of the deepest level. */
  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
    for (int i = 0; i < RECORDS; i++) {
      put(key(i), 1_000);
    }
    store.compact();
    assertTrue(tables(scan(CursorOptions.defaults())).size() >= 3);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private void reopen() throws IOException {
    store.close();
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
  }

  private static String key(int number) {
    return "a%03d".formatted(number);
  }

  private void put(String key, int valueBytes) throws IOException {
    store.put(Fixtures.bytes(key), new byte[valueBytes], Durability.NONE);
  }

  private void delete(String key) throws IOException {
    store.delete(Fixtures.bytes(key), Durability.NONE);
  }

  private ScanExplanation scan(CursorOptions options) throws IOException {
    return store.explainScan(options, Long.MAX_VALUE);
  }

  private static CursorOptions range(String lower, String upper) {
    return CursorOptions.defaults()
        .withLower(Fixtures.bytes(lower))
        .withUpper(Fixtures.bytes(upper));
  }

  private static List<ScanExplanation.Source> tables(ScanExplanation explanation) {
    return explanation.sources().stream()
        .filter(source -> source.place().startsWith("level"))
        .toList();
  }

  private static long count(ScanExplanation explanation, ScanExplanation.Outcome outcome) {
    return tables(explanation).stream().filter(source -> source.outcome() == outcome).count();
  }

  @Test
  void tablesAreLeftOutByBoundsPrefixAndLimit() throws IOException {
    put("c1", 1);
    put("z9", 1);
    store.flush();
    ScanExplanation all = scan(CursorOptions.defaults());
    assertEquals(RECORDS + 2, all.returned());
    assertTrue(all.complete());
    assertEquals(tables(all).size(), count(all, ScanExplanation.Outcome.READ));

    // The range of the flushed table has the prefix, its filter has not; the others end before it.
    ScanExplanation prefix = scan(CursorOptions.defaults().withPrefix(Fixtures.bytes("x")));
    assertEquals(0, prefix.returned());
    assertEquals(ScanExplanation.Outcome.FILTERED, tables(prefix).getFirst().outcome());
    assertEquals(1, tables(prefix).getFirst().filterBlocks());
    assertEquals(0, tables(prefix).getFirst().dataBlocks());
    assertEquals(tables(all).size() - 1, count(prefix, ScanExplanation.Outcome.OUT_OF_BOUNDS));

    ScanExplanation first = store.explainScan(range("a000", "b"), 5);
    assertEquals(5, first.returned());
    assertFalse(first.complete());
    assertEquals(ScanExplanation.Outcome.OUT_OF_BOUNDS, tables(first).getFirst().outcome());
    assertEquals(1, count(first, ScanExplanation.Outcome.READ));
    assertEquals(tables(all).size() - 2, count(first, ScanExplanation.Outcome.NOT_REACHED));
    assertTrue(first.toString().contains("NOT_REACHED"), first.toString());

    ScanExplanation exactly = store.explainScan(range("a000", "a005"), 5);
    assertFalse(exactly.complete());
    assertTrue(store.explainScan(range("a000", "a005"), 6).complete());
    assertEquals(0, store.explainScan(range("a000", "a005"), 0).blocks());
    assertThrows(
        IllegalArgumentException.class, () -> store.explainScan(CursorOptions.defaults(), -1));
  }

  @Test
  void recordsThatAreNotReturnedAreCountedByTheReason() throws IOException {
    CursorOptions some = range("a100", "a200");
    assertCounts(100, 0, 0, 0, scan(some));
    Snapshot before = store.snapshot();
    for (int i = 100; i < 110; i++) {
      put(key(i), 1); // hides one each
    }
    for (int i = 110; i < 115; i++) {
      delete(key(i)); // likewise
    }
    ScanExplanation inMemory = scan(some);
    assertCounts(95, 15, 5, 0, inMemory);
    assertEquals(0, inMemory.sources().getFirst().hidden());
    store.flush();
    assertCounts(95, 15, 5, 0, scan(some));
    store.compact(); // the snapshot needs all versions, which are in one source now
    ScanExplanation merged = scan(some);
    assertCounts(95, 15, 5, 0, merged);
    assertEquals(15, tables(merged).stream().mapToLong(ScanExplanation.Source::hidden).sum());
    // To the snapshot those are hidden that are too new for it; a seek goes behind such at once.
    assertCounts(101, 15, 0, 0, before.explainScan(range("a099", "a200"), Long.MAX_VALUE));
    assertCounts(100, 14, 0, 0, before.explainScan(some, Long.MAX_VALUE));
    before.close();
    store.compact();
    assertCounts(95, 0, 0, 0, scan(some));
    assertCounts(10, 0, 0, 85, scan(some.withFilter(record -> record.valueBytes() == 1)));
  }

  private static void assertCounts(
      long returned, long hidden, long deleted, long filtered, ScanExplanation explanation) {
    assertEquals(
        List.of(returned, hidden, deleted, filtered),
        List.of(
            explanation.returned(),
            explanation.hidden(),
            explanation.deleted() + explanation.rangeDeleted(),
            explanation.filtered()),
        explanation::toString);
  }

  @Test
  void blocksReadAreThoseThatTheStoreReads() throws IOException {
    reopen();
    CursorOptions some = range("a100", "a200");
    long missesBefore = store.stats().read().blockMisses();
    ScanExplanation cold = scan(some);
    assertEquals(store.stats().read().blockMisses() - missesBefore, cold.blocksRead());
    assertTrue(cold.blocksRead() > 20, cold.toString()); // of 4 KiB, 100 KB
    ScanExplanation.Source read =
        tables(cold).stream()
            .filter(source -> source.outcome() == ScanExplanation.Outcome.READ)
            .findFirst()
            .orElseThrow();
    assertTrue(read.indexBlocks() >= 2 && read.dataBlocks() >= 20, cold.toString());
    ScanExplanation warm = scan(some);
    assertEquals(0, warm.blocksRead(), warm::toString);
    assertEquals(cold.blocks(), warm.blocks());
  }

  @Test
  void memtableThatIsFlushedMeanwhileIsReadFromItsTables() throws IOException {
    for (int i = 0; i < 100; i++) {
      put("b%02d".formatted(i), 1_000);
    }
    int[] asked = {0};
    CursorFilter flushing =
        _ -> {
          try {
            if (asked[0]++ == 0) {
              store.flush();
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return true;
        };
    ScanExplanation explanation = scan(range("b", "c").withFilter(flushing));
    assertEquals(100, explanation.returned());
    assertEquals("memtable", explanation.sources().getFirst().place());
    assertTrue(explanation.sources().getFirst().dataBlocks() >= 20, explanation.toString());
  }
}
