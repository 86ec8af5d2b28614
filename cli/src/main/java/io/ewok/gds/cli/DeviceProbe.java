package io.ewok.gds.cli;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.cli.Finding.Severity;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Measures a device through the engine that a store would use: what a sync costs, and how many
 * random reads it does, one at a time and many. Writes a file of at most {@link #FILE_BYTES}, takes
 * about {@value #SECONDS} seconds, and deletes the file.
 *
 * <p>Confined to one thread; reads are made on virtual threads of its own.
 */
final class DeviceProbe {
  /** The longest that it takes, but for an operation of the device that takes longer itself. */
  static final int SECONDS = 5;

  static final long FILE_BYTES = 64L << 20;

  private static final int BLOCK_BYTES = 4096;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int READERS = 32;
  private static final int SYNCS_MAX = 2000;
  private static final long WRITE_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long PHASE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long SEED = 1;
  private static final String NAME = "probe";

  /** Less may be all that is left to a store that is there. */
  private static final long ROOM_BYTES = 16 * FILE_BYTES;

  private final IoEngine engine;
  private final Path path;

  DeviceProbe(IoEngine engine, Path directory) {
    this.engine = engine;
    this.path = directory.resolve(".gds-doctor-probe-" + UUID.randomUUID());
  }

  /** Measures, where there is room for that; what fails is a finding, too. */
  List<Finding> measure() {
    try {
      long freeBytes = Files.getFileStore(path.getParent()).getUsableSpace();
      return freeBytes < ROOM_BYTES ? List.of(noRoom(freeBytes)) : measureFile();
    } catch (IOException | RuntimeException e) {
      return List.of(
          Finding.of(
              Severity.WARN,
              NAME,
              "none",
              "the device cannot be measured: " + Failures.message(e)));
    }
  }

  static Finding noRoom(long freeBytes) {
    return Finding.of(
            Severity.WARN,
            NAME,
            Units.bytes(freeBytes) + " free",
            "measuring would take room that others may need")
        .withWanted(Units.bytes(ROOM_BYTES) + " free")
        .withDecision("nothing is measured");
  }

  private List<Finding> measureFile() throws IOException {
    path.toFile().deleteOnExit(); // For who does not wait for the end.
    MemoryBudget budget = MemoryBudget.root("doctor", 2L * CHUNK_BYTES);
    try (Region region =
            Region.map(budget, RegionOptions.ofSize(CHUNK_BYTES).withHugePages(HugePages.OFF));
        IoFile file = engine.open(path, OpenMode.CREATE_NEW)) {
      engine.register(region);
      try {
        // Not zeros, which some devices do not write.
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] bytes = new byte[CHUNK_BYTES];
        random.nextBytes(bytes);
        region.segment().asByteBuffer().put(bytes);
        long written = write(file, region);
        return List.of(
            syncs(file, region),
            reads(file, region, written, 1, "random reads"),
            reads(file, region, written, READERS, "random reads, " + READERS + " at a time"));
      } finally {
        engine.unregister(region);
      }
    } finally {
      Files.deleteIfExists(path);
    }
  }

  private static long write(IoFile file, Region region) throws IOException {
    long end = System.nanoTime() + WRITE_NANOS;
    long written = 0;
    while (written < FILE_BYTES && (written == 0 || System.nanoTime() < end)) {
      file.write(written, region, 0, CHUNK_BYTES);
      written += CHUNK_BYTES;
    }
    file.sync();
    return written;
  }

  /** Each overwrites a block, as a log does. */
  private static Finding syncs(IoFile file, Region region) throws IOException {
    long[] nanos = new long[SYNCS_MAX];
    long end = System.nanoTime() + PHASE_NANOS;
    int count = 0;
    while (count < SYNCS_MAX && (count == 0 || System.nanoTime() < end)) {
      long start = System.nanoTime();
      file.writeSynced(
          (long) count % (CHUNK_BYTES / BLOCK_BYTES) * BLOCK_BYTES, region, 0, BLOCK_BYTES);
      nanos[count] = System.nanoTime() - start;
      count++;
    }
    Arrays.sort(nanos, 0, count);
    return Finding.of(
            Severity.INFO,
            "sync",
            "%s, 1 of 100 over %s"
                .formatted(micros(nanos[count / 2]), micros(nanos[count * 99 / 100])),
            "a write of 4 KiB that is durable; measured " + Units.count(count) + " times")
        .withDecision("writers that wait together share one");
  }

  private static Finding reads(IoFile file, Region region, long bytes, int readers, String name)
      throws IOException {
    AtomicLong count = new AtomicLong();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    long start = System.nanoTime();
    long end = start + PHASE_NANOS;
    List<Thread> threads = new ArrayList<>();
    for (int reader = 0; reader < readers; reader++) {
      SplittableRandom random = new SplittableRandom(SEED + reader);
      long place = (long) reader * BLOCK_BYTES;
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      while (System.nanoTime() < end && failure.get() == null) {
                        long block = random.nextLong(bytes / BLOCK_BYTES);
                        file.readFully(block * BLOCK_BYTES, region, place, BLOCK_BYTES);
                        count.incrementAndGet();
                      }
                    } catch (IOException | RuntimeException | Error e) {
                      failure.compareAndSet(null, e);
                    }
                  }));
    }
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandFailure.failed("interrupted while reading", e);
    }
    if (failure.get() != null) {
      throw new IOException("a read has failed: " + failure.get(), failure.get());
    }
    long nanos = System.nanoTime() - start;
    long perSecond = Units.perSecond(count.get(), nanos);
    return Finding.of(
        Severity.INFO,
        name,
        Units.count(perSecond) + " a second",
        "of 4 KiB, each %s; an estimate: what else runs here counts"
            .formatted(micros(count.get() == 0 ? nanos : nanos * readers / count.get())));
  }

  private static String micros(long nanos) {
    return String.format(Locale.ROOT, "%.1f µs", nanos / 1e3);
  }
}
