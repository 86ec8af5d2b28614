package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreCursor;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Opens the loaded store cold and reads all of it, three times: every key by itself, from several
 * threads in random order, then in order forward, then backward. Everything read is compared with
 * the data set.
 */
final class ReadPhase {
  /** As many as the engine keeps in flight. */
  static final int READERS = 64;

  private static final int CLAIM = 64;

  private final DemoPlan plan;
  private final DemoWorkspace workspace;
  private final Streams streams;
  private final RecordCheck check;

  ReadPhase(DemoPlan plan, DemoWorkspace workspace, Streams streams) {
    this.plan = plan;
    this.workspace = workspace;
    this.streams = streams;
    this.check = new RecordCheck(plan.data());
  }

  /**
   * What came out.
   *
   * @param opened the store's counters before the point reads
   * @param pointsRead and after them
   * @param end and at the end
   */
  record Result(
      long openNanos,
      long pointNanos,
      long forwardNanos,
      long backwardNanos,
      StoreStats opened,
      StoreStats pointsRead,
      StoreStats end) {

    /** Device reads of the point reads. */
    long deviceReads() {
      return pointsRead.read().deviceReads() - opened.read().deviceReads();
    }

    /** The part of the point reads' block accesses that needed no device. */
    double hitRatio() {
      long hits = pointsRead.read().blockHits() - opened.read().blockHits();
      long misses = pointsRead.read().blockMisses() - opened.read().blockMisses();
      return hits + misses == 0 ? Double.NaN : (double) hits / (hits + misses);
    }
  }

  Result run() throws IOException {
    long start = System.nanoTime();
    try (Store store = Store.open(workspace.store(), plan.options())) {
      long ready = System.nanoTime();
      StoreStats opened = store.stats();
      readPoints(store);
      long pointsDone = System.nanoTime();
      StoreStats pointsRead = store.stats();
      scan(store, false);
      long forwardDone = System.nanoTime();
      scan(store, true);
      long backwardDone = System.nanoTime();
      Result result =
          new Result(
              ready - start,
              pointsDone - ready,
              forwardDone - pointsDone,
              backwardDone - forwardDone,
              opened,
              pointsRead,
              store.stats());
      if (result.deviceReads() == 0) {
        throw CommandFailure.failed("every record was read, and the device never");
      }
      return result;
    }
  }

  private void readPoints(Store store) throws IOException {
    int[] order = plan.data().shuffled(plan.seed() + 2);
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    try (Progress progress = Progress.start(streams, "point reads", order.length, Units::count)) {
      List<Thread> readers = new ArrayList<>();
      for (int number = 0; number < READERS; number++) {
        // Virtual, since a platform thread that waits for one read makes it itself, past the ring.
        Thread reader =
            Thread.ofVirtual()
                .name("gds-reader-" + number)
                .start(() -> readSome(store, order, next, failure, progress));
        readers.add(reader);
      }
      for (Thread reader : readers) {
        reader.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandFailure.failed("interrupted while reading", e);
    }
    switch (failure.get()) {
      case null -> {}
      case IOException e -> throw e;
      case CommandFailure e -> throw e;
      case Throwable e -> throw new IllegalStateException("a reader failed: " + e, e);
    }
  }

  private void readSome(
      Store store,
      int[] order,
      AtomicInteger next,
      AtomicReference<Throwable> failure,
      Progress progress) {
    try {
      int first = next.getAndAdd(CLAIM);
      while (first < order.length && failure.get() == null) {
        workspace.checkNotCancelled();
        int end = Math.min(order.length, first + CLAIM);
        for (int position = first; position < end; position++) {
          int index = order[position];
          check.checkValue(index, store.get(plan.data().key(index)));
        }
        progress.add(end - first);
        first = next.getAndAdd(CLAIM);
      }
    } catch (IOException | RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    }
  }

  private void scan(Store store, boolean reverse) throws IOException {
    int count = plan.data().count();
    try (Progress progress =
            Progress.start(
                streams, reverse ? "scan backward" : "scan forward", count, Units::count);
        StoreCursor cursor = store.cursor()) {
      int read = 0;
      if (reverse) {
        cursor.last();
      } else {
        cursor.first();
      }
      while (cursor.isValid()) {
        workspace.checkNotCancelled();
        check.checkScanned(
            reverse ? count - 1 - read : read,
            cursor.key().toArray(ValueLayout.JAVA_BYTE),
            cursor.value().toArray(ValueLayout.JAVA_BYTE));
        read++;
        progress.add(1);
        if (reverse) {
          cursor.previous();
        } else {
          cursor.next();
        }
      }
      check.checkScanEnd(read);
    }
  }
}
