package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ewok.gds.lsm.StoreScript.Home;
import java.io.IOException;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** A cursor over ranges of a {@link StoreScript}, and what it should see. */
final class ScriptRanges {
  private final Home home;
  private final RangesCursor cursor;
  private final NavigableMap<byte[], byte[]> model;
  private final List<byte[]> bounds;
  private byte[] at;

  /**
   * Over ranges.
   *
   * @param bounds as of {@link #ranges}
   * @param seen what there is, also beyond the ranges
   */
  ScriptRanges(
      Home home, RangesCursor cursor, List<byte[]> bounds, NavigableMap<byte[], byte[]> seen) {
    this.home = home;
    this.cursor = cursor;
    this.bounds = bounds;
    this.model = new TreeMap<>(seen);
    model.keySet().removeIf(key -> number(key) < 0);
  }

  /** Any keys in their order, each once: where ranges begin and end in turn. */
  static List<byte[]> bounds(List<byte[]> keys) {
    TreeMap<byte[], byte[]> sorted = new TreeMap<>(Fixtures.ORDER);
    keys.forEach(key -> sorted.put(key, key));
    return List.copyOf(sorted.keySet());
  }

  /** From each other one to the next; the last one perhaps without an end. */
  static ScanRanges ranges(List<byte[]> bounds) {
    ScanRanges ranges = new ScanRanges();
    for (int i = 0; i + 1 < bounds.size(); i += 2) {
      ranges.add(bounds.get(i), bounds.get(i + 1));
    }
    return bounds.size() % 2 == 0 ? ranges : ranges.addFrom(bounds.getLast());
  }

  /** Which range a key lies in; below 0 if in none. */
  private int number(byte[] key) {
    int passed = 0;
    while (passed < bounds.size() && Fixtures.ORDER.compare(bounds.get(passed), key) <= 0) {
      passed++;
    }
    return passed % 2 == 0 ? -1 : passed / 2;
  }

  void move(String word, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      move(word);
    }
  }

  private void move(String word) throws IOException {
    boolean forward = word.equals("first") || word.startsWith("next");
    if (at == null && !word.equals("first") && !word.equals("last")) {
      assertThrows(IllegalStateException.class, () -> call(word));
      assertThrows(IllegalStateException.class, cursor::range);
      return;
    }
    call(word);
    // A filter may have removed these at any time.
    while (home.isFiltered() && cursor.isValid() && cursor.value().byteSize() == 0) {
      call(forward ? "next" : "previous");
    }
    at = target(word);
    assertEquals(at != null, cursor.isValid());
    if (at != null) {
      assertArrayEquals(at, Fixtures.array(cursor.key()));
      assertArrayEquals(model.get(at), Fixtures.array(cursor.value()));
      assertEquals(number(at), cursor.range());
    }
  }

  private void call(String word) throws IOException {
    switch (word) {
      case "first" -> cursor.first();
      case "last" -> cursor.last();
      case "next" -> cursor.next();
      case "previous" -> cursor.previous();
      case "nextrange" -> cursor.nextRange();
      case "previousrange" -> cursor.previousRange();
      default -> throw new IllegalArgumentException("no such move: word=" + word);
    }
  }

  private byte[] target(String word) {
    return switch (word) {
      case "first" -> model.isEmpty() ? null : model.firstKey();
      case "last" -> model.isEmpty() ? null : model.lastKey();
      case "next" -> model.higherKey(at);
      case "previous" -> model.lowerKey(at);
      case "nextrange" -> {
        int end = 2 * number(at) + 1;
        yield end < bounds.size() ? model.ceilingKey(bounds.get(end)) : null;
      }
      default -> model.lowerKey(bounds.get(2 * number(at)));
    };
  }

  void close() {
    cursor.close();
  }
}
