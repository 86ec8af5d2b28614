package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyHash;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A filter knows every key that was added, and few others. */
class FilterTest {
  private static final int KEYS = 30_000;

  private final Region region =
      Region.map(MemoryBudget.root("test", 1 << 20), RegionOptions.ofSize(1 << 20));
  private final FilterBuilder filter = new FilterBuilder(region.address());
  private final long block = region.address() + FilterBuilder.MEMORY_BYTES;
  private final long key = block + FilterBuilder.BLOCK_BYTES_MAX;

  @AfterEach
  void unmap() {
    region.close();
  }

  private long key(long number, int keyBytes) {
    Memory.putLong(key, Long.reverseBytes(number));
    Memory.putLong(key + keyBytes - Long.BYTES, Long.reverseBytes(number));
    return key;
  }

  private boolean mayContain(long number, int keyBytes) {
    return FilterView.mayContain(block, KeyHash.of(key(number, keyBytes), keyBytes));
  }

  @ParameterizedTest
  @CsvSource({"8,10,0.012", "16,10,0.012", "16,8,0.03", "40,16,0.002", "16,4,0.17"})
  void keysAreKnownAndFewOthers(int keyBytes, int bitsPerKey, double most) {
    filter.start(bitsPerKey, 0);
    for (int i = 0; i < KEYS; i++) {
      filter.add(key(i, keyBytes), keyBytes);
    }
    assertSize(KEYS * bitsPerKey);
    filter.finish(block);
    int wrong = 0;
    for (int i = 0; i < 10 * KEYS; i++) {
      boolean maybe = mayContain(i, keyBytes);
      assertTrue(maybe || i >= KEYS, "key=" + i);
      wrong += maybe && i >= KEYS ? 1 : 0;
    }
    double rate = wrong / (9.0 * KEYS);
    assertTrue(rate <= most, "false positives: " + rate);
    assertTrue(rate > most / 4, "too good to be true: " + rate);
  }

  private void assertSize(int bits) {
    int more = filter.lengthBytes() - TableFormat.FILTER_LINES_OFFSET - bits / 8;
    assertTrue(more >= 0 && more <= TableFormat.FILTER_LINE_BYTES, "more: " + more);
  }

  @Test
  void filtersFollowEachOther() {
    filter.start(10, 0);
    filter.add(key(1, 8), 8);
    filter.finish(block);
    filter.add(key(2, 8), 8);
    filter.finish(block);
    assertTrue(mayContain(2, 8));
    assertEquals(false, mayContain(1, 8));
  }

  @Test
  void prefixesAreKnownApartFromKeys() {
    filter.start(10, 4);
    for (int i = 0; i < 1000; i++) {
      Memory.putInt(key, Integer.reverseBytes(i));
      Memory.putInt(key + 4, 5);
      filter.add(key, 8);
    }
    assertSize(2 * 1000 * 10);
    filter.finish(block);
    int wrongPrefixes = 0;
    int wrongKeys = 0;
    for (int i = 0; i < 2000; i++) {
      Memory.putInt(key, Integer.reverseBytes(i));
      long hash = KeyHash.of(key, 4);
      boolean known = FilterView.mayContain(block, FilterView.ofPrefix(hash));
      assertTrue(known || i >= 1000, "prefix=" + i);
      wrongPrefixes += known && i >= 1000 ? 1 : 0;
      wrongKeys += FilterView.mayContain(block, hash) ? 1 : 0;
    }
    assertTrue(wrongPrefixes < 50, "prefixes: " + wrongPrefixes);
    assertTrue(wrongKeys < 100, "keys: " + wrongKeys);
  }

  @Test
  void hashesDoNotChange() {
    long[] expected = new long[20];
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < i; j++) {
        Memory.putByte(key + j, (byte) (7 * j + i));
      }
      expected[i] = KeyHash.of(key, i);
    }
    StringBuilder text = new StringBuilder();
    for (int i : new int[] {0, 1, 3, 7, 8, 16, 17}) {
      text.append(Long.toHexString(expected[i])).append(' ');
    }
    assertEquals(
        "67372783549845ee f21721cbd119737e a5d6ff634f9c2ce1 4d437ee8ef8722ad "
            + "57b95576abfa7e14 b77221688fb0b7b7 f96ff3511aff83c1",
        text.toString().strip());
  }
}
