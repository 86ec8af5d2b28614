package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Recovers what {@link LaneWriter} left, and finds out whether each lane is what its batches up to
 * some number make, and no batch that was acknowledged is missing. Ends with an error otherwise.
 */
final class LaneChecker {
  static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(2);

  private LaneChecker() {}

  /** Checks the store in a folder: folder, number that was acknowledged last. */
  public static void main(String[] arguments) throws Exception {
    long found = check(Path.of(arguments[0]), Long.parseLong(arguments[1]));
    System.out.println("sound, batches=" + found);
  }

  /** Checks a store. Returns up to which number all lanes are there. */
  static long check(Path directory, long acknowledged) throws Exception {
    try (Store store = Store.open(directory, OPTIONS)) {
      return check(store, acknowledged);
    }
  }

  /** Checks what an open store shows. */
  static long check(ReadView store, long acknowledged) throws Exception {
    TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    long least = Long.MAX_VALUE;
    for (int lane = 0; lane < LaneWriter.LANES; lane++) {
      long last = LaneWriter.lastNumber(store, lane);
      if (last < acknowledged) {
        throw new IllegalStateException(
            "batches are lost: lane=%d last=%d acknowledged=%d"
                .formatted(lane, last, acknowledged));
      }
      replay(model, lane, last);
      least = Math.min(least, last);
    }
    compare(store, model);
    return least;
  }

  private static void replay(Map<byte[], byte[]> model, int lane, long last) {
    for (long number = 1; number <= last; number++) {
      for (LaneWriter.Edit edit : LaneWriter.edits(lane, number)) {
        if (edit.valueOrNull == null) {
          model.remove(edit.key);
        } else {
          model.put(edit.key, edit.valueOrNull);
        }
      }
    }
    if (last > 0) {
      model.put(LaneWriter.numberKey(lane), Fixtures.bytes(Long.toString(last)));
    }
  }

  private static void compare(ReadView store, Map<byte[], byte[]> model) throws Exception {
    Map<byte[], byte[]> found = Fixtures.contents(store);
    if (found.size() != model.size()) {
      throw new IllegalStateException(
          "records: expected=%d found=%d".formatted(model.size(), found.size()));
    }
    for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
      requireSame(entry.getKey(), entry.getValue(), found.get(entry.getKey()));
      requireSame(entry.getKey(), entry.getValue(), store.get(entry.getKey()));
    }
  }

  private static void requireSame(byte[] key, byte[] expected, byte[] foundOrNull)
      throws IOException {
    if (!Arrays.equals(expected, foundOrNull)) {
      throw new IOException("another value than was written: key=" + Fixtures.text(key));
    }
  }
}
