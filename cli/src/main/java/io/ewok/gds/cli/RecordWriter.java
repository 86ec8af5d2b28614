package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * Writes many records into a family of a store in batches, from one or several threads. A key is
 * always written by the same thread, so of one that occurs twice the later value holds.
 *
 * <p>{@link #add} and {@link #finish} are confined to the caller's thread. Closing without {@link
 * #finish} drops what was added and not yet written, and ends the threads. The store is the
 * caller's, and outlives the writer.
 *
 * <p>Errors: the first failure of any thread is thrown by the next call; what was written before it
 * stays written.
 */
final class RecordWriter implements AutoCloseable {
  private static final int BATCH_BYTES = 1 << 16;
  private static final int QUEUE_BATCHES = 2;
  private static final long LOOK_MILLIS = 50;

  private final Store store;
  private final Family family;
  private final StoreOptions options;
  private final Durability durability;
  private final List<Lane> lanes = new ArrayList<>();
  private final LongAdder written = new LongAdder();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /** Starts the threads. */
  RecordWriter(
      Store store, Family family, StoreOptions options, Durability durability, int threads) {
    this.store = store;
    this.family = family;
    this.options = options;
    this.durability = durability;
    for (int number = 0; number < threads; number++) {
      lanes.add(new Lane(number));
    }
    lanes.forEach(lane -> lane.thread.start());
  }

  /** Records that the store has taken. */
  long writtenCount() {
    return written.sum();
  }

  /**
   * Adds a record; it is written soon, or when its batch is full.
   *
   * @throws CommandFailure if the record is larger than the store takes
   */
  void add(Entry entry) throws IOException {
    requireKeySize(entry.key());
    requireValueSize(entry);
    Lane lane = lane(entry.key(), entry.sizeBytes());
    lane.batch.put(family, entry.key(), entry.value());
    lane.handOverIfFull();
  }

  /**
   * Adds a delete of a key, which need not exist; as {@link #add}.
   *
   * @throws CommandFailure if the key is larger than the store takes
   */
  void delete(byte[] key) throws IOException {
    requireKeySize(key);
    Lane lane = lane(key, key.length);
    lane.batch.delete(family, key);
    lane.handOverIfFull();
  }

  /** The lane of a key, its batch with room for so many bytes more. */
  private Lane lane(byte[] key, long sizeBytes) throws IOException {
    Lane lane = lanes.get(Math.floorMod(Arrays.hashCode(key), lanes.size()));
    long operationBytes = WriteBatch.OPERATION_OVERHEAD_BYTES + sizeBytes;
    if (lane.batch.sizeBytes() + operationBytes > options.batchBytesMax()) {
      lane.handOver();
    }
    return lane;
  }

  /** Writes what is left and ends the threads. */
  void finish() throws IOException {
    for (Lane lane : lanes) {
      lane.handOver();
      lane.end();
    }
    for (Lane lane : lanes) {
      join(lane.thread);
    }
    throwFailure();
  }

  @Override
  public void close() {
    for (Lane lane : lanes) {
      lane.thread.interrupt();
    }
    for (Lane lane : lanes) {
      join(lane.thread);
    }
  }

  private static void requireKeySize(byte[] key) {
    if (key.length > WriteBatch.KEY_BYTES_MAX) {
      throw CommandFailure.failed(
          "a key is too long for a store: keyBytes=%d max=%d key=%s"
              .formatted(key.length, WriteBatch.KEY_BYTES_MAX, ByteText.show(key)));
    }
  }

  private void requireValueSize(Entry entry) {
    long valueBytesMax = options.valueBytesMax(entry.key().length);
    if (entry.value().length > valueBytesMax) {
      throw CommandFailure.failed(
          "a value is too long for this store; more --memory allows more: valueBytes=%d max=%d key=%s"
              .formatted(entry.value().length, valueBytesMax, ByteText.show(entry.key())));
    }
  }

  private void throwFailure() throws IOException {
    Throwable thrown = failure.get();
    switch (thrown) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(thrown);
    }
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true; // The store must outlive the thread: wait on, and pass it on after.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** One writing thread, its queue, and the batch the caller fills for it. */
  private final class Lane {
    private final BlockingQueue<WriteBatch> queue = new ArrayBlockingQueue<>(QUEUE_BATCHES);
    private final WriteBatch endMark = new WriteBatch();
    private final Thread thread;
    private WriteBatch batch = new WriteBatch();

    Lane(int number) {
      this.thread = Thread.ofPlatform().daemon().name("gds-writer-" + number).unstarted(this::run);
    }

    void handOver() throws IOException {
      if (batch.count() > 0) {
        enqueue(batch);
        batch = new WriteBatch();
      }
    }

    void handOverIfFull() throws IOException {
      if (batch.sizeBytes() >= BATCH_BYTES) {
        handOver();
      }
    }

    void end() throws IOException {
      enqueue(endMark);
    }

    private void enqueue(WriteBatch full) throws IOException {
      try {
        do {
          throwFailure();
        } while (!queue.offer(full, LOOK_MILLIS, TimeUnit.MILLISECONDS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw CommandFailure.failed("interrupted while writing", e);
      }
    }

    private void run() {
      try {
        for (WriteBatch next = queue.take(); next != endMark; next = queue.take()) {
          store.write(next, durability);
          written.add(next.count());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // Closed early: what is queued is dropped, as promised.
      } catch (IOException | RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      }
    }
  }
}
