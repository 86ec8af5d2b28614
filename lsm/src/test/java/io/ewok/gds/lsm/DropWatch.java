package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Sees which records go with the tables that a store drops, and whether it may drop these: knows
 * what is in each table since it came, and is told when some go.
 *
 * <p>Threads: confined to the background thread of the store, but for {@link #poll}.
 */
final class DropWatch implements StoreListener {
  private final Queue<Dropped> dropped = new ConcurrentLinkedQueue<>();
  private Map<Long, Known> known = new HashMap<>();

  /** Null before its first look. */
  private Store store;

  /** A table that is gone: the sequence number of the newest record of each of its keys. */
  record Dropped(int family, NavigableMap<byte[], Long> newest, AssertionError notAllowedOrNull) {}

  private record Known(
      TableMeta meta, int level, boolean isHidden, NavigableMap<byte[], Long> newest) {}

  /** Returns what has gone since, or null. */
  Dropped poll() {
    return dropped.poll();
  }

  /** Looks which tables there are. Nothing is dropped before the first look. */
  void look(Store of) throws IOException {
    store = of;
    Map<Long, Known> found = new HashMap<>();
    Version version = store.parts().versions.retain();
    try {
      for (FamilyState family : store.parts().families.all()) {
        List<List<Table>> levels = version.levels(family).all();
        for (int level = 0; level < levels.size(); level++) {
          for (Table table : levels.get(level)) {
            Known before = known.get(table.meta().number());
            NavigableMap<byte[], Long> newest = before != null ? before.newest : newest(table);
            found.put(
                table.meta().number(),
                new Known(table.meta(), level, isHidden(table, version.levels(family)), newest));
          }
        }
      }
    } finally {
      store.parts().versions.release(version);
    }
    known = found;
  }

  private static boolean isHidden(Table table, Levels levels) {
    TableRanges ranges = levels.rangesOrNull();
    TableMeta meta = table.meta();
    return ranges != null
        && ranges
            .union()
            .coverAll(
                meta.firstKey(), meta.lastKey(), meta.lastSequence(), RecordKind.SEQUENCE_MAX);
  }

  private static NavigableMap<byte[], Long> newest(Table table) throws IOException {
    NavigableMap<byte[], Long> newest = new TreeMap<>(Fixtures.ORDER);
    RunSource source = new RunSource(List.of(table), RecordKind.SEQUENCE_MAX);
    try {
      for (source.first(); source.isValid(); source.next()) {
        byte[] key =
            Fixtures.array(
                source
                    .keyMemory()
                    .asSlice(
                        source.keyAddress() - source.keyMemory().address(), source.keyBytes()));
        newest.merge(key, RecordKind.sequence(source.stamp()), Math::max);
      }
    } finally {
      source.close();
    }
    return newest;
  }

  @Override
  public void flushed(Flush flush) {
    lookAgain();
  }

  @Override
  public void compacted(Compacted compacted) {
    if (store == null) {
      return;
    }
    Map<Long, Known> before = known;
    lookAgain();
    if (compacted.kind() == CompactionKind.DROP) {
      for (Known gone : before.values()) {
        boolean isThere = store.parts().families.find(gone.meta.family()) != null;
        if (isThere && !known.containsKey(gone.meta.number())) { // else it went with its family
          dropped.add(new Dropped(gone.meta.family(), gone.newest, checked(gone, before)));
        }
      }
    }
  }

  private void lookAgain() {
    try {
      if (store != null) {
        look(store);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A table goes if it has expired, is hidden, or is the oldest of a family that has too much. */
  private AssertionError checked(Known gone, Map<Long, Known> before) {
    FamilyState family = store.parts().families.find(gone.meta.family());
    List<Known> ofFamily =
        before.values().stream().filter(table -> table.meta.family() == family.id()).toList();
    if (gone.meta.lastSequence() < family.expiration().floor() || gone.isHidden) {
      return null;
    }
    try {
      CompactionOptions options = store.parts().live.compaction(family);
      long bytes =
          ofFamily.stream()
              .mapToLong(table -> table.meta.sizeBytes() + table.meta.references().allBytes())
              .sum();
      assertTrue(
          bytes > options.fifoBytes(), "bytes=" + bytes + " fifoBytes=" + options.fifoBytes());
      for (Known other : ofFamily) {
        assertTrue(other.level <= gone.level, "one of a deeper level is older");
        assertTrue(
            other.level < gone.level
                || gone.level > 0
                || other.meta.lastSequence() >= gone.meta.lastSequence(),
            "another one is older");
      }
      return null;
    } catch (AssertionError e) {
      return e;
    }
  }
}
