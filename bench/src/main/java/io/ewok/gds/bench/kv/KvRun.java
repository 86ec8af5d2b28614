package io.ewok.gds.bench.kv;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Runs cases on one open store. */
final class KvRun {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double NANOS_PER_MICRO = 1e3;
  private static final long WRITER_PER_SECOND = 20_000;

  /** What records may live longer. */
  private static final Duration EXPIRY_SLACK = Duration.ofMillis(1500);

  /** Several, since what compactions owe before and after is left out. */
  private static final int OVERWRITE_PASSES = 4;

  private static final long SEED = 7;
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final KvContender contender;
  private final KvSettings settings;
  private final KvData data;
  private final KvStore store;
  private final Path directory;

  KvRun(KvContender contender, KvSettings settings, KvData data, KvStore store, Path directory) {
    this.contender = contender;
    this.settings = settings;
    this.data = data;
    this.store = store;
    this.directory = directory;
  }

  /** Runs a case, after a shorter run of it where it can be repeated. */
  KvSample run(KvCase one) throws IOException, InterruptedException {
    switch (one.kind) {
      case MIX,
          MIX_BESIDE_WRITER,
          MULTI_GET,
          SEEKS,
          RANGES,
          SCAN,
          SCAN_BACKWARD,
          ADD,
          READ_COUNTERS,
          TRANSACTIONS ->
          measure(one, settings.watchedNanos() / 3, SEED + 1);
      case OVERWRITE -> measure(one, 0, SEED + 1);
      case COMPACT_FILTERED -> alone(KvWorker::emptySome);
      case COMPACT_EXPIRED -> {
        Thread.sleep(KvSettings.TTL.plus(EXPIRY_SLACK));
        alone(KvWorker::writeSomeAgain);
      }
      case LOAD, LOAD_BATCHES, INGEST, FAMILIES, DELETE_RANGES, SINGLE_DELETES -> {}
    }
    KvSample sample = measure(one, settings.watchedNanos(), SEED);
    switch (one.kind) {
      case FAMILIES -> alone(KvWorker::checkFamilies);
      case ADD -> alone(KvWorker::checkCounters);
      case SINGLE_DELETES, COMPACT_FILTERED, TRANSACTIONS -> alone(KvWorker::checkRecords);
      case COMPACT_EXPIRED -> alone(KvWorker::checkExpired);
      default -> {}
    }
    return sample;
  }

  /** Reads everything once: what was just written by large writes is not in anybody's memory. */
  void readAll() throws IOException {
    alone(KvWorker::readAll);
  }

  private void alone(KvWorker.Body body) throws IOException {
    new KvWorker(data, store, KvMix.reads(KvMix.Picker.UNIFORM), 0, 1, SEED).run(body);
  }

  private KvSample measure(KvCase one, long watchedNanos, long seed)
      throws IOException, InterruptedException {
    List<KvWorker> workers = new ArrayList<>();
    List<FutureTask<Void>> tasks = new ArrayList<>();
    CountDownLatch begin = new CountDownLatch(1);
    long writtenBefore = bytesWritten();
    long cpuBefore = PROCESS.getProcessCpuTime();
    for (int i = 0; i < one.threads; i++) {
      KvWorker worker = new KvWorker(data, store, one.mix, i, one.threads, seed * 1000 + i);
      workers.add(worker);
      tasks.add(start(begin, worker, each -> body(one, each, watchedNanos)));
    }
    if (one.kind == KvCase.Kind.MIX_BESIDE_WRITER) {
      KvWorker writer = new KvWorker(data, store, one.mix, 1, 2, seed * 1000 - 1);
      tasks.add(
          start(
              begin,
              writer,
              each -> each.overwritePaced(WRITER_PER_SECOND, System.nanoTime() + watchedNanos)));
    }
    long start = System.nanoTime();
    begin.countDown();
    for (FutureTask<Void> task : tasks) {
      try {
        task.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException(contender + " failed: case=" + one.label(), e.getCause());
      }
    }
    long nanos = System.nanoTime() - start;
    long cpuNanos = PROCESS.getProcessCpuTime() - cpuBefore;
    return sample(one, workers, nanos, cpuNanos, writtenBefore);
  }

  private static FutureTask<Void> start(CountDownLatch begin, KvWorker worker, KvWorker.Body body) {
    FutureTask<Void> task =
        new FutureTask<>(
            () -> {
              begin.await();
              worker.run(body);
              return null;
            });
    Thread.ofPlatform().name("kv-worker").start(task);
    return task;
  }

  private static void body(KvCase one, KvWorker worker, long watchedNanos) throws IOException {
    long deadline = System.nanoTime() + watchedNanos;
    switch (one.kind) {
      case LOAD -> worker.load(one != KvCase.FILL_SEQUENTIAL);
      case LOAD_BATCHES -> worker.loadBatches();
      case INGEST -> worker.ingest();
      case OVERWRITE -> worker.overwrite(OVERWRITE_PASSES);
      case MIX, MIX_BESIDE_WRITER -> worker.mix(deadline);
      case MULTI_GET -> worker.multiGet(deadline);
      case SEEKS -> worker.ranges(false, deadline);
      case RANGES -> worker.ranges(true, deadline);
      case SCAN -> worker.scan(false, deadline);
      case SCAN_BACKWARD -> worker.scan(true, deadline);
      case FAMILIES -> worker.writeFamilies();
      case DELETE_RANGES -> worker.deleteRanges();
      case ADD -> worker.add(deadline);
      case READ_COUNTERS -> worker.readCounters(deadline);
      case SINGLE_DELETES -> worker.singleDeletes();
      case COMPACT_FILTERED, COMPACT_EXPIRED -> worker.compact();
      case TRANSACTIONS -> worker.transact(deadline);
    }
  }

  private KvSample sample(
      KvCase one, List<KvWorker> workers, long nanos, long cpuNanos, long writtenBefore)
      throws IOException, InterruptedException {
    KvWorker all = workers.getFirst();
    for (KvWorker other : workers.subList(1, workers.size())) {
      all.latencies.add(other.latencies);
      all.curves.add(other.curves);
      all.operations += other.operations;
      all.heapBytes += other.heapBytes;
    }
    double writeAmplification = Double.NaN;
    double spaceAmplification = Double.NaN;
    if (one.isSettled()) {
      store.settle();
    }
    if (one.isSettled() || one.isSteady()) {
      if (all.writtenRecords > 0) {
        writeAmplification =
            (bytesWritten() - writtenBefore) / (double) (all.writtenRecords * KvData.RECORD_BYTES);
      }
      spaceAmplification = bytesOfFiles() / (double) (data.stored() * KvData.RECORD_BYTES);
    }
    return new KvSample(
        contender,
        one,
        all.operations * NANOS_PER_SECOND / nanos,
        micros(all, 50),
        micros(all, 99),
        micros(all, 99.99),
        (double) cpuNanos / all.operations,
        (double) all.heapBytes / all.operations,
        writeAmplification,
        spaceAmplification,
        all.curves.curves(all.latencies));
  }

  private static double micros(KvWorker all, double percentile) {
    return all.latencies.getTotalCount() == 0
        ? Double.NaN
        : all.latencies.getValueAtPercentile(percentile) / NANOS_PER_MICRO;
  }

  /**
   * Returns the bytes that this process has handed to devices, or made the kernel owe them. Those
   * count, too, that the kernel no longer owes since their file is gone: a log that goes through
   * the page cache is as long as one that does not, and how much of it is written depends on how
   * long it is kept.
   */
  private static long bytesWritten() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/io"))) {
      if (line.startsWith("write_bytes: ")) {
        return Long.parseLong(line.substring(line.indexOf(' ') + 1));
      }
    }
    throw new IOException("the kernel does not count what a process writes");
  }

  /** Files may come and go meanwhile: those that are gone have no bytes. */
  private long bytesOfFiles() throws IOException {
    long[] sum = new long[1];
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            sum[0] += attributes.size();
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (failure instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw failure;
          }
        });
    return sum[0];
  }
}
