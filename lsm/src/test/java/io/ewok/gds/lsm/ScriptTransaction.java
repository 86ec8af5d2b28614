package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ewok.gds.lsm.StoreScript.Home;
import io.ewok.gds.lsm.StoreScript.Operation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * A transaction of a {@link StoreScript}, beside a model of what it should see, and of what its
 * commit stands on. Of families in which records go by themselves it knows nothing.
 */
final class ScriptTransaction {
  final Transaction transaction;
  private final boolean serializable;

  /** How many operations there were before. */
  private final int begunAt;

  private final Map<Home, NavigableMap<byte[], byte[]>> before = new HashMap<>();
  private final Map<Home, NavigableMap<byte[], byte[]>> seen = new HashMap<>();
  private final List<Operation> written = new ArrayList<>();

  // Keys from one to another, both inclusive; the latter may be null.
  /** What the commit stands on, at most. */
  private final List<Range> mayRead = new ArrayList<>();

  /** What it stands on, at least. */
  private final List<Range> read = new ArrayList<>();

  private Transaction.Savepoint savepoint;
  private int savedAt;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Range(Home home, byte[] first, byte[] lastOrNull) {
    boolean has(byte[] key) {
      return Fixtures.ORDER.compare(key, first) >= 0
          && (lastOrNull == null || Fixtures.ORDER.compare(key, lastOrNull) <= 0);
    }

    boolean meets(Operation operation) {
      if (operation.home != home) {
        return false;
      }
      return operation.endOrNull == null
          ? has(operation.key)
          : Fixtures.ORDER.compare(operation.endOrNull, first) > 0
              && (lastOrNull == null || Fixtures.ORDER.compare(operation.key, lastOrNull) <= 0);
    }

    NavigableMap<byte[], byte[]> of(NavigableMap<byte[], byte[]> all) {
      NavigableMap<byte[], byte[]> from = all.tailMap(first, true);
      return lastOrNull == null ? from : from.headMap(lastOrNull, true);
    }
  }

  ScriptTransaction(
      Transaction transaction, TransactionOptions options, Map<Integer, Home> homes, int begunAt) {
    this.transaction = transaction;
    this.serializable = options.isolation() == Isolation.SERIALIZABLE;
    this.begunAt = begunAt;
    for (Home home : homes.values()) {
      if (home.tree.ttl().isZero() && !home.isFiltered() && !home.isFifo()) {
        before.put(home, new TreeMap<>(home.model));
        seen.put(home, new TreeMap<>(home.model));
      }
    }
  }

  /** Whether it may use a family. */
  boolean knows(Home home) {
    return before.containsKey(home);
  }

  List<Operation> written() {
    return written;
  }

  void write(Home home, byte[] key, byte[] valueOrNull, boolean isOperand) throws IOException {
    if (!serializable) {
      noteKey(home, key);
    }
    if (valueOrNull == null) {
      transaction.delete(home.family, key);
    } else if (isOperand) {
      transaction.merge(home.family, key, valueOrNull);
    } else {
      transaction.put(home.family, key, valueOrNull);
    }
    wrote(new Operation(home, key, valueOrNull, isOperand));
  }

  private void noteKey(Home home, byte[] key) {
    mayRead.add(new Range(home, key, key));
    read.add(new Range(home, key, key));
  }

  private void wrote(Operation operation) {
    written.add(operation);
    operation.applyTo(seen.get(operation.home));
  }

  void deleteRange(Home home, byte[] a, byte[] b) throws IOException {
    int order = Fixtures.ORDER.compare(a, b);
    if (order == 0) {
      assertThrows(
          IllegalArgumentException.class, () -> transaction.deleteRange(home.family, a, b));
      return;
    }
    byte[] first = order < 0 ? a : b;
    byte[] end = order < 0 ? b : a;
    transaction.deleteRange(home.family, first, end);
    wrote(new Operation(home, first, end));
    if (!serializable) {
      mayRead.add(new Range(home, first, end)); // and not the last one
    }
  }

  void get(Home home, byte[] key, boolean forUpdate) throws IOException {
    if (serializable || forUpdate) {
      noteKey(home, key); // also if its own writes say it all
    }
    byte[] found =
        forUpdate ? transaction.getForUpdate(home.family, key) : transaction.get(home.family, key);
    assertArrayEquals(seen.get(home).get(key), found);
  }

  /** Goes forward and back again. */
  void scan(Home home, byte[] from, int count) throws IOException {
    NavigableMap<byte[], byte[]> expected = seen.get(home);
    byte[] last = null;
    try (StoreCursor cursor = transaction.cursor(home.family)) {
      cursor.seek(from);
      byte[] at = expected.ceilingKey(from);
      for (int i = 0; i < count && at != null; i++) {
        assertAt(cursor, at, expected);
        last = at;
        cursor.next();
        at = expected.higherKey(at);
      }
      assertEquals(at != null, cursor.isValid());
      if (at != null) {
        last = at;
        for (int i = 0; i < count && at != null && Fixtures.ORDER.compare(at, from) > 0; i++) {
          assertAt(cursor, at, expected);
          cursor.previous();
          at = expected.lowerKey(at);
        }
        assertEquals(at != null, cursor.isValid());
      } else {
        last = null;
      }
    }
    if (serializable) {
      byte[] lowest = expected.lowerKey(from);
      mayRead.add(new Range(home, lowest == null ? new byte[0] : lowest, last));
      read.add(new Range(home, from, last));
    }
  }

  /**
   * Goes over ranges.
   *
   * @param count how many records, at most
   */
  void scanRanges(Home home, List<byte[]> keys, int count) throws IOException {
    List<byte[]> bounds = ScriptRanges.bounds(keys);
    NavigableMap<byte[], byte[]> expected = seen.get(home);
    try (RangesCursor cursor =
        transaction.cursor(home.family, ScriptRanges.ranges(bounds), CursorOptions.defaults())) {
      cursor.first();
      int left = count;
      for (int i = 0; i < bounds.size() && left >= 0; i += 2) {
        byte[] first = bounds.get(i);
        byte[] endOrNull = i + 1 < bounds.size() ? bounds.get(i + 1) : null;
        NavigableMap<byte[], byte[]> from = expected.tailMap(first, true);
        NavigableMap<byte[], byte[]> inside =
            endOrNull == null ? from : from.headMap(endOrNull, false);
        byte[] last = null;
        for (byte[] key : inside.keySet()) {
          assertEquals(i / 2, cursor.range());
          assertArrayEquals(key, Fixtures.array(cursor.key()));
          assertArrayEquals(inside.get(key), Fixtures.array(cursor.value()));
          last = key;
          if (--left < 0) {
            break; // it stays there
          }
          cursor.next();
        }
        if (serializable) {
          mayRead.add(new Range(home, first, left < 0 ? last : endOrNull)); // and not the end
          if (last != null) {
            read.add(new Range(home, first, last));
          }
        }
      }
      assertEquals(left < 0, cursor.isValid());
    }
  }

  private static void assertAt(
      StoreCursor cursor, byte[] key, NavigableMap<byte[], byte[]> expected) {
    assertArrayEquals(key, Fixtures.array(cursor.key()));
    assertArrayEquals(expected.get(key), Fixtures.array(cursor.value()));
  }

  void save() {
    savepoint = transaction.savepoint();
    savedAt = written.size();
  }

  void goBack() {
    if (savepoint != null) {
      transaction.rollbackTo(savepoint);
      written.subList(savedAt, written.size()).clear();
      before.forEach((home, model) -> seen.put(home, new TreeMap<>(model)));
      written.forEach(operation -> operation.applyTo(seen.get(operation.home)));
    }
  }

  /** Whether something that it may stand on was written since. */
  boolean mayMeet(List<Operation> history) {
    return history.subList(begunAt, history.size()).stream()
        .anyMatch(operation -> mayRead.stream().anyMatch(range -> range.meets(operation)));
  }

  /** Whether all that it stands on is now what it was, or it has hidden that itself. */
  boolean isAsItWas() {
    return read.stream()
        .allMatch(
            range ->
                isSame(range.of(before.get(range.home())), range.of(range.home().model))
                    || isWritten(range));
  }

  private boolean isWritten(Range range) {
    return serializable && written.stream().anyMatch(range::meets);
  }

  private static boolean isSame(NavigableMap<byte[], byte[]> a, NavigableMap<byte[], byte[]> b) {
    return a.size() == b.size()
        && a.entrySet().stream()
            .allMatch(entry -> Arrays.equals(entry.getValue(), b.get(entry.getKey())));
  }
}
