package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SimulationTest {
  private static final int[] SIZES = {1, 2, 3, 7, 20, 64, 150, 1000};

  @Test
  void traceNumbersKeysByFirstAppearance() {
    ReferenceTrace trace = trace(List.of(7L, -1L, 7L, Long.MIN_VALUE, 0L, -1L));
    assertEquals(6, trace.length());
    assertEquals(4, trace.distinct());
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < trace.length(); i++) {
      ids.add(trace.id(i));
    }
    assertEquals(List.of(0, 1, 0, 2, 3, 1), ids);
  }

  @Test
  void traceKeepsApartManyKeys() {
    ReferenceTrace.Builder builder = new ReferenceTrace.Builder();
    Random random = new Random(1);
    Map<Long, Integer> numbers = new LinkedHashMap<>();
    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      // Keys that differ in high bits only, in low bits only, and in all.
      long key = random.nextInt(30_000);
      key = i % 3 == 0 ? key << 40 : i % 3 == 1 ? key : key * 0x9E3779B97F4A7C15L;
      builder.add(key);
      numbers.putIfAbsent(key, numbers.size());
      expected.add(numbers.get(key));
    }
    ReferenceTrace trace = builder.build();
    assertEquals(numbers.size(), trace.distinct());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i), trace.id(i));
    }
  }

  @Test
  void lruHitsAreThoseOfAMapInOrderOfAccess() {
    for (long seed = 0; seed < 30; seed++) {
      List<Long> keys = mixture(seed, 3_000);
      for (int size : SIZES) {
        assertEquals(
            lruByMap(keys, size), Simulation.lruHits(trace(keys), size), where(seed, size));
      }
    }
  }

  @Test
  void fifoHitsAreThoseOfAQueue() {
    for (long seed = 0; seed < 30; seed++) {
      List<Long> keys = mixture(seed, 3_000);
      for (int size : SIZES) {
        assertEquals(
            fifoByQueue(keys, size), Simulation.fifoHits(trace(keys), size), where(seed, size));
      }
    }
  }

  @Test
  void clockHitsAreThoseOfAnArrayWithAHand() {
    for (long seed = 0; seed < 30; seed++) {
      List<Long> keys = mixture(seed, 3_000);
      for (int size : SIZES) {
        assertEquals(
            clockByArray(keys, size),
            Simulation.hits(EvictionKind.CLOCK, trace(keys), size),
            where(seed, size));
      }
    }
  }

  /** Tries every choice of what goes, so the traces are short. */
  @Test
  void optimalHitsAreTheMostThatAnyChoiceGives() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      int length = 1 + random.nextInt(14);
      int keys = 1 + random.nextInt(6);
      List<Long> references = new ArrayList<>();
      for (int i = 0; i < length; i++) {
        references.add((long) random.nextInt(keys));
      }
      for (int size = 1; size <= 4; size++) {
        assertEquals(
            mostHits(references, 0, 0, size),
            Simulation.optimalHits(trace(references), size),
            where(seed, size));
      }
    }
  }

  @Test
  void optimalHitsAreThoseOfASearchForTheFarthestUse() {
    for (long seed = 0; seed < 10; seed++) {
      List<Long> keys = mixture(seed, 1_000);
      for (int size : SIZES) {
        assertEquals(
            farthestBySearch(keys, size),
            Simulation.optimalHits(trace(keys), size),
            where(seed, size));
      }
    }
  }

  @Test
  void nobodyHitsMoreThanTheOptimumAndAllHitTheSameWhenAllFits() {
    for (long seed = 0; seed < 20; seed++) {
      ReferenceTrace trace = trace(mixture(seed, 20_000));
      for (int size : SIZES) {
        long most = Simulation.optimalHits(trace, size);
        assertTrue(Simulation.lruHits(trace, size) <= most, where(seed, size));
        assertTrue(Simulation.fifoHits(trace, size) <= most, where(seed, size));
        for (EvictionKind kind : EvictionKind.values()) {
          assertTrue(Simulation.hits(kind, trace, size) <= most, kind + where(seed, size));
        }
      }
      long all = (long) trace.length() - trace.distinct();
      for (int size : new int[] {trace.distinct(), Integer.MAX_VALUE}) {
        assertEquals(all, Simulation.lruHits(trace, size));
        assertEquals(all, Simulation.fifoHits(trace, size));
        assertEquals(all, Simulation.optimalHits(trace, size));
        for (EvictionKind kind : EvictionKind.values()) {
          assertEquals(all, Simulation.hits(kind, trace, size));
        }
      }
    }
  }

  @Test
  void traceWithoutReferencesHasNoHits() {
    ReferenceTrace trace = trace(List.of());
    assertEquals(0, Simulation.lruHits(trace, 5));
    assertEquals(0, Simulation.fifoHits(trace, 5));
    assertEquals(0, Simulation.optimalHits(trace, 5));
    assertEquals(0, Simulation.hits(EvictionKind.CAR, trace, 5));
  }

  @Test
  void cacheWithoutSlotsIsRefused() {
    ReferenceTrace trace = trace(List.of(1L));
    assertThrows(IllegalArgumentException.class, () -> Simulation.lruHits(trace, 0));
    assertThrows(
        IllegalArgumentException.class, () -> Simulation.hits(EvictionKind.CAR, trace, -1));
  }

  @Test
  void positionSetKnowsItsGreatest() {
    for (int limit : new int[] {1, 63, 64, 65, 4096, 4097, 300_000}) {
      Random random = new Random(limit);
      PositionSet set = new PositionSet(limit);
      BitSet model = new BitSet();
      for (int i = 0; i < 3_000; i++) {
        int position = random.nextBoolean() ? random.nextInt(limit) : limit - 1;
        if (random.nextInt(3) > 0) {
          set.add(position);
          model.set(position);
        } else {
          set.remove(position);
          model.clear(position);
        }
        if (!model.isEmpty()) {
          assertEquals(model.length() - 1, set.last(), "limit=" + limit);
        }
      }
    }
  }

  static ReferenceTrace trace(List<Long> keys) {
    ReferenceTrace.Builder builder = new ReferenceTrace.Builder();
    keys.forEach(builder::add);
    return builder.build();
  }

  /** Favourites, runs and loops in turn, as in recorded traces. */
  private static List<Long> mixture(long seed, int length) {
    Random random = new Random(seed);
    List<Long> keys = new ArrayList<>();
    while (keys.size() < length) {
      int count = 1 + random.nextInt(60);
      long base = random.nextInt(300);
      switch (random.nextInt(3)) {
        case 0 -> random.ints(count, 0, 30).forEach(key -> keys.add((long) key * key));
        case 1 -> {
          for (int i = 0; i < count; i++) {
            keys.add(base + i);
          }
        }
        default -> {
          for (int i = 0; i < count; i++) {
            keys.add(base + i % 12);
          }
        }
      }
    }
    return keys.subList(0, length);
  }

  private static long lruByMap(List<Long> keys, int size) {
    Map<Long, Boolean> cache =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
            return size() > size;
          }
        };
    return keys.stream().filter(key -> cache.put(key, true) != null).count();
  }

  private static long fifoByQueue(List<Long> keys, int size) {
    ArrayDeque<Long> queue = new ArrayDeque<>();
    long hits = 0;
    for (long key : keys) {
      if (queue.contains(key)) {
        hits++;
        continue;
      }
      if (queue.size() == size) {
        queue.remove();
      }
      queue.add(key);
    }
    return hits;
  }

  private static long clockByArray(List<Long> keys, int size) {
    List<Long> cache = new ArrayList<>();
    List<Boolean> marks = new ArrayList<>();
    long hits = 0;
    int hand = 0;
    for (long key : keys) {
      int at = cache.indexOf(key);
      if (at >= 0) {
        hits++;
        marks.set(at, true);
      } else if (cache.size() < size) {
        cache.add(key);
        marks.add(false);
      } else {
        while (marks.get(hand)) {
          marks.set(hand, false);
          hand = (hand + 1) % size;
        }
        cache.set(hand, key);
        hand = (hand + 1) % size;
      }
    }
    return hits;
  }

  private static long mostHits(List<Long> keys, int from, int cached, int size) {
    if (from == keys.size()) {
      return 0;
    }
    int bit = 1 << keys.get(from);
    if ((cached & bit) != 0) {
      return 1 + mostHits(keys, from + 1, cached, size);
    }
    if (Integer.bitCount(cached) < size) {
      return mostHits(keys, from + 1, cached | bit, size);
    }
    long most = 0;
    for (int out = 1; out <= cached; out <<= 1) {
      if ((cached & out) != 0) {
        most = Math.max(most, mostHits(keys, from + 1, (cached ^ out) | bit, size));
      }
    }
    return most;
  }

  private static long farthestBySearch(List<Long> keys, int size) {
    List<Long> cache = new ArrayList<>();
    long hits = 0;
    for (int i = 0; i < keys.size(); i++) {
      if (cache.contains(keys.get(i))) {
        hits++;
        continue;
      }
      if (cache.size() == size) {
        List<Long> future = keys.subList(i, keys.size());
        long out = cache.getFirst();
        int farthest = -1;
        for (long key : cache) {
          int next = future.indexOf(key);
          next = next < 0 ? Integer.MAX_VALUE : next;
          if (next > farthest) {
            farthest = next;
            out = key;
          }
        }
        cache.remove(out);
      }
      cache.add(keys.get(i));
    }
    return hits;
  }

  private static String where(long seed, int size) {
    return " seed=" + seed + " size=" + size;
  }
}
