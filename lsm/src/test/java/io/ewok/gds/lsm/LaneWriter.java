package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A program that is killed, or whose machine loses power, while it writes: changes a store for
 * ever, on several lanes at once, and prints the number up to which the batches of all lanes are
 * durable. It goes on where the last one was stopped. {@link LaneChecker} looks at what is left.
 *
 * <p>What a batch does follows from its lane and its number, which it puts under the lane's own
 * key.
 */
final class LaneWriter {
  static final int LANES = 3;

  private static final int KEYS = 500;
  private static final int BATCHES_PER_SYNC_MAX = 4;

  /** One operation of a batch; a value of null deletes. */
  static final class Edit {
    final byte[] key;
    final byte[] valueOrNull;

    Edit(byte[] key, byte[] valueOrNull) {
      this.key = key;
      this.valueOrNull = valueOrNull;
    }
  }

  private final Store store;
  private final long[] durable = new long[LANES];
  private long printed;

  private LaneWriter(Store store) {
    this.store = store;
  }

  static byte[] numberKey(int lane) {
    return Fixtures.bytes("lane" + lane);
  }

  /** The number of the last batch of a lane. */
  static long lastNumber(ReadView store, int lane) throws IOException {
    byte[] value = store.get(numberKey(lane));
    return value == null ? 0 : Long.parseLong(Fixtures.text(value));
  }

  /** What a batch does besides putting its number. */
  static List<Edit> edits(int lane, long number) {
    SplittableRandom random = new SplittableRandom(number * LANES + lane);
    List<Edit> edits = new ArrayList<>();
    for (int i = random.nextInt(6); i >= 0; i--) {
      byte[] key = Fixtures.bytes("key" + lane + "/" + random.nextInt(KEYS));
      int bytesMax = random.nextInt(12) == 0 ? 20_000 : 200;
      byte[] value = Fixtures.randomBytes(random, random.nextInt(bytesMax));
      edits.add(new Edit(key, random.nextInt(4) == 0 ? null : value));
    }
    return edits;
  }

  /** Writes to the store in a folder: folder. */
  public static void main(String[] arguments) throws IOException {
    try (Store store = Store.open(Path.of(arguments[0]), LaneChecker.OPTIONS)) {
      LaneWriter writer = new LaneWriter(store);
      for (int lane = 1; lane < LANES; lane++) {
        int number = lane;
        Thread unused = Thread.ofPlatform().daemon().start(() -> writer.writeOrHalt(number));
      }
      writer.writeOrHalt(0);
    }
  }

  /** Ends the process with an error if a lane fails: the others would go on. */
  private void writeOrHalt(int lane) {
    try {
      write(lane);
    } catch (IOException | RuntimeException | Error e) {
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private void write(int lane) throws IOException {
    long number = lastNumber(store, lane);
    SplittableRandom random = new SplittableRandom(number);
    WriteBatch batch = new WriteBatch();
    while (true) {
      for (int left = random.nextInt(BATCHES_PER_SYNC_MAX); left >= 0; left--) {
        number++;
        batch.clear();
        for (Edit edit : edits(lane, number)) {
          if (edit.valueOrNull == null) {
            batch.delete(edit.key);
          } else {
            batch.put(edit.key, edit.valueOrNull);
          }
        }
        batch.put(numberKey(lane), Fixtures.bytes(Long.toString(number)));
        Durability early = random.nextBoolean() ? Durability.NONE : Durability.BUFFERED;
        store.write(batch, left == 0 ? Durability.SYNCED : early);
      }
      acknowledge(lane, number);
    }
  }

  private synchronized void acknowledge(int lane, long number) {
    durable[lane] = number;
    long all = number;
    for (long one : durable) {
      all = Math.min(all, one);
    }
    if (all > printed) {
      printed = all;
      System.out.println(all);
      System.out.flush();
    }
  }
}
