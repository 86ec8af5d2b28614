package io.ewok.gds.lsm.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Interleaver;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What readers of tables do with a {@link RecordCache} while flushes make new tables: for {@link
 * Interleaver}.
 */
public final class RecordCacheScenes implements Interleaver.Scenes {
  private static final int CACHE_BYTES = 64 << 10;
  private static final int FAMILY = 1;

  /** No number of tables is as large. */
  private static final long OTHER_VALUE = 1_000;

  private final RecordCache cache =
      new RecordCache(MemoryBudget.root("test", CACHE_BYTES), RegionOptions.ofSize(CACHE_BYTES));

  /** Of one bucket: what is done with one is in the way of the other. */
  private final List<String> keys = keysOfOneBucket(2);

  /** Tables as they are to be read: each key has its value, which is its sequence number, too. */
  private record Tables(long number, List<Long> values) {
    Tables next(int key) {
      List<Long> next = new ArrayList<>(values);
      next.set(key, number + 1);
      return new Tables(number + 1, next);
    }
  }

  /** Its accesses are steps, as those to the memory are. */
  private Tables current;

  private List<String> keysOfOneBucket(int count) {
    List<String> found = new ArrayList<>();
    long wanted = cache.bucket(key("key 0"), FAMILY);
    for (int i = 0; found.size() < count; i++) {
      if (cache.bucket(key("key " + i), FAMILY) == wanted) {
        found.add("key " + i);
      }
    }
    return found;
  }

  private static SearchKey key(String text) {
    return new SearchKey().set(MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public void close() {
    cache.close();
  }

  @Override
  public Interleaver.Scene scene(String name) {
    cache.clear();
    current = new Tables(1, List.of(1L, OTHER_VALUE));
    return switch (name) {
      case "a reader beside a flush" -> new Scene().reads(0, 0).flushes(true, 0);
      case "readers beside a flush" -> new Scene().reads(0).reads(0, 0).flushes(true, 0);
      case "readers beside flushes" -> new Scene().reads(0).reads(0, 0).flushes(true, 0, 0);
      case "keys of one bucket" -> new Scene().reads(0, 1).reads(1, 0).flushes(true, 1);
      case "a record moves" -> new Scene().has(0, 1).reads(0).reads(1).flushes(true, 0);
      case "a flush that is seen too early" -> new Scene().reads(0, 0).flushes(false, 0);
      default -> throw new IllegalArgumentException("no such scene: name=" + name);
    };
  }

  private final class Scene implements Interleaver.Scene {
    private final List<Runnable> actors = new ArrayList<>();

    /** What has been read before. */
    Scene has(int... numbers) {
      Scene unused = reads(numbers);
      actors.removeLast().run();
      return this;
    }

    /** One key after the other, each as the tables have it that are there then. */
    Scene reads(int... numbers) {
      CachedRecord found = new CachedRecord();
      MemorySegment value = Arena.ofAuto().allocate(Long.BYTES);
      List<SearchKey> wanted = keys.stream().map(RecordCacheScenes::key).toList();
      actors.add(
          () -> {
            for (int key : numbers) {
              read(key, wanted.get(key), found, value);
            }
          });
      return this;
    }

    private void read(int key, SearchKey wanted, CachedRecord found, MemorySegment value) {
      Tables tables = current;
      long expected = tables.values().get(key);
      if (cache.find(wanted, FAMILY, Long.MAX_VALUE, tables.number(), 0, found)) {
        assertEquals(Long.BYTES, found.valueBytes());
        assertEquals(expected, Memory.getLong(found.valueAddress()), "value of another time");
        assertEquals(expected, RecordKind.sequence(found.stamp()));
      } else {
        Memory.putLong(value.address(), expected);
        cache.offer(
            wanted,
            FAMILY,
            RecordKind.stamp(expected, RecordKind.PUT),
            value.address(),
            Long.BYTES,
            tables.number());
      }
    }

    /** One key in each; what is there is forgotten first, or not. */
    Scene flushes(boolean inOrder, int... numbers) {
      List<SearchKey> changed = keys.stream().map(RecordCacheScenes::key).toList();
      actors.add(
          () -> {
            Tables tables = current;
            for (int key : numbers) {
              tables = tables.next(key);
              if (!inOrder) {
                current = tables;
              }
              SearchKey of = changed.get(key);
              cache.changed(of.address(), of.lengthBytes(), FAMILY, tables.number());
              current = tables;
            }
          });
      return this;
    }

    @Override
    public List<Runnable> actors() {
      return actors;
    }

    @Override
    public void check() {
      Scene unused = has(0, 1, 0, 1);
      RecordCacheStats stats = cache.stats();
      assertTrue(stats.records() <= keys.size(), () -> "each once: " + stats);
    }
  }
}
