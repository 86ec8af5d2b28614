package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What the tests of the store share. */
public final class Fixtures {
  public static final Path DIRECTORY = Path.of("/store");

  /** The smallest of everything, so that little data makes many files and reads. */
  public static final StoreOptions TINY =
      StoreOptions.defaults()
          .withBatchBytesMax(128 << 10)
          .withMemtableBytes(256 << 10)
          .withPoolBytes(1 << 20)
          .withTableBytes(256 << 10)
          .withTablesBeforeMerge(3)
          .withLogSegmentBytes(256 << 10)
          .withLogSegmentCount(4);

  /** The same, with values from a length on, or none, in value files. */
  static StoreOptions separated(int valueBytes) {
    TreeOptions tree = TINY.tree().withSeparatedValueBytes(valueBytes);
    return TINY.withTree(tree.withValueGarbagePercent(10));
  }

  public static final Comparator<byte[]> ORDER = Arrays::compareUnsigned;

  private static final long WAIT_NANOS = TimeUnit.MINUTES.toNanos(1);

  private Fixtures() {}

  /** Waits until a store's own threads have brought something about. */
  static void await(Store store, BooleanSupplier condition) {
    long deadline = System.nanoTime() + WAIT_NANOS;
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, () -> store.stats().toString());
      Thread.onSpinWait();
    }
  }

  public static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  public static String text(byte[] bytesOrNull) {
    return bytesOrNull == null ? null : new String(bytesOrNull, StandardCharsets.UTF_8);
  }

  public static byte[] array(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  public static byte[] randomBytes(SplittableRandom random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** The seed to use: that of the failure to be replayed, or the given one. */
  public static long seed(long otherwise) {
    return Long.getLong("gds.seed", otherwise);
  }

  /** The record of a batch in the log. */
  public static MemorySegment record(WriteBatch batch) {
    return batch.record();
  }

  public static String replay(Class<?> test, long seed) {
    return "replay with: ./build verify -pl lsm -am -Dtest=%s -Dgds.seed=%d"
            .formatted(test.getSimpleName(), seed)
        + " -Dsurefire.failIfNoSpecifiedTests=false; seed="
        + seed;
  }

  /** Contents in a form that can be compared and printed. */
  static Map<String, String> text(Map<byte[], byte[]> contents) {
    Map<String, String> text = new TreeMap<>();
    contents.forEach((key, value) -> text.put(text(key), HexFormat.of().formatHex(value)));
    return text;
  }

  static long sizeBytes(IoEngine engine, Path path) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      return file.sizeBytes();
    }
  }

  /** The tables of the store, by their numbers. */
  static List<Path> tables(IoEngine engine) throws IOException {
    return engine.list(DIRECTORY).stream()
        .filter(path -> StoreFiles.tableNumber(path).isPresent())
        .sorted()
        .toList();
  }

  /** Everything a cursor shows, forward. */
  public static Map<byte[], byte[]> contents(ReadView view) throws Exception {
    Map<byte[], byte[]> contents = new TreeMap<>(ORDER);
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        contents.put(array(cursor.key()), array(cursor.value()));
      }
    }
    return contents;
  }
}
