package io.ewok.gds.lsm.shard;

import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Gives transactions their order, and has them done in it: one fiber, on the owner of the first
 * shard, that takes what has come and makes an epoch of it.
 *
 * <p>Threads: any submits; the rest is the fiber's.
 */
final class Sequencer {
  /** Transactions in an epoch: more would gain little, and all wait for the last of them. */
  private static final int EPOCH_MAX = 256;

  /** How long an opening waits for the fiber. */
  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** How often it looks whether the fiber was refused. */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Shard[] shards;
  private final ShardMap map;
  private final SequenceLog log;
  private final boolean hasOperator;
  private final Drain drain = new Drain();
  private final LongAdder epochs = new LongAdder();
  private final LongAdder transactions = new LongAdder();

  /** Posted when something has come and the fiber waits, or is to end. */
  private final Baton wanted = new Baton();

  private final Baton started = new Baton();

  /** Where bodies are run, and those are told who wait for a future; null before. */
  private volatile Thread fiber;

  private final Monitor lock = new Monitor();

  // Guarded by lock.
  private final ArrayDeque<Submission<?>> queue = new ArrayDeque<>();
  private boolean waits;
  private boolean closed;

  /** What ended the fiber before its time, or null. */
  private Throwable death;

  // Confined to the fiber.
  private long next;

  /** Those that were taken out of the queue and have not ended. */
  private List<Submission<?>> taken = List.of();

  /** The fiber. */
  private final class Drain extends Task {
    Drain() {
      super(Kind.FIBER, Scratch.NONE);
    }

    @Override
    protected void run() {
      drain();
    }
  }

  /**
   * A sequencer that has begun.
   *
   * @param next the first number
   * @throws StorageException if the owner of the first shard has no fiber for it
   */
  Sequencer(Shard[] shards, ShardMap map, SequenceLog log, long next) throws StorageException {
    this.shards = shards;
    this.map = map;
    this.log = log;
    this.next = next;
    this.hasOperator = !shards[0].store.options().tree().mergeOperator().name().isEmpty();
    start();
  }

  /** Without the fiber all who submit something would wait for ever. */
  private void start() throws StorageException {
    shards[0].owner.post(drain);
    long begin = System.nanoTime();
    while (!started.await(LOOK_NANOS)) {
      if (drain.isDone() || System.nanoTime() - begin > START_NANOS) {
        drain.cancel();
        throw new StorageException(
            "the reactor of the first shard has no fiber for the sequencer, give it more of them:"
                + " fibers.count",
            shards[0].directory,
            drain.failure());
      }
    }
  }

  /** Epochs so far. */
  long epochCount() {
    return epochs.sum();
  }

  /** Transactions so far that have had their turn. */
  long transactionCount() {
    return transactions.sum();
  }

  // ---- any thread

  /**
   * Gives a transaction its place in the order.
   *
   * @throws IllegalStateException if the store is closed, or nothing has its turn any more, or a
   *     body wants it
   */
  void submit(Submission<?> submission) {
    requireOutside();
    boolean wake;
    lock.lock();
    try {
      if (death != null) {
        throw new IllegalStateException(
            "transactions have ended, open the store again: " + death.getMessage(), death);
      }
      if (closed) {
        throw closed();
      }
      queue.addLast(submission);
      wake = waits;
      waits = false;
    } finally {
      lock.unlock();
    }
    if (wake) {
      wanted.post();
    }
  }

  /** Who waited there for keys that an epoch holds, or for an epoch, would wait for ever. */
  void requireOutside() {
    if (Thread.currentThread() == fiber) {
      throw new IllegalStateException(
          "a body, or what follows on its future at once, writes by its view alone");
    }
  }

  static IllegalStateException closed() {
    return new IllegalStateException("the store is closed");
  }

  /** Ends what is at work; what waits for its turn gets none. */
  void close() {
    boolean wake;
    lock.lock();
    try {
      closed = true;
      wake = waits;
      waits = false;
    } finally {
      lock.unlock();
    }
    if (wake) {
      wanted.post();
    }
    boolean unused = awaitEnd();
  }

  private boolean awaitEnd() {
    try {
      drain.await();
      return true;
    } catch (ExecutionException | RuntimeException e) {
      return false; // those who waited were told
    }
  }

  // ---- the fiber

  private void drain() {
    fiber = Thread.currentThread();
    started.post();
    Throwable end = null;
    try {
      while (take()) {
        while (!taken.isEmpty()) {
          int ended = runEpoch(taken);
          taken = taken.subList(ended, taken.size());
        }
      }
    } catch (Throwable e) {
      end = e;
      throw e;
    } finally {
      endAll(end);
    }
  }

  /** Tells all who wait, and those who come later, that nothing has its turn any more. */
  private void endAll(Throwable deathOrNull) {
    Throwable cause = deathOrNull == null ? closed() : deathOrNull;
    lock.lock();
    try {
      closed = true;
      death = deathOrNull;
    } finally {
      lock.unlock();
    }
    taken.forEach(submission -> submission.end(cause));
    queue.forEach(submission -> submission.end(cause)); // nobody adds to it any more
  }

  /** Takes what has come; waits for something. Returns false when the store is closed. */
  private boolean take() {
    while (true) {
      lock.lock();
      try {
        if (closed) {
          return false;
        }
        if (!queue.isEmpty()) {
          List<Submission<?>> some = new ArrayList<>(Math.min(queue.size(), EPOCH_MAX));
          taken = some; // so those that have left the queue are found there
          while (!queue.isEmpty() && some.size() < EPOCH_MAX) {
            some.add(queue.removeFirst());
          }
          return true;
        }
        waits = true;
      } finally {
        lock.unlock();
      }
      Task.waitFor(wanted);
      wanted.reset();
    }
  }

  /** Runs an epoch of the first ones. Returns how many of them have ended. */
  private int runEpoch(List<Submission<?>> some) {
    Epoch epoch = new Epoch(shards, map, log, hasOperator, next);
    try {
      epoch.read(some);
    } catch (IOException | RuntimeException | Error e) {
      epoch.free();
      if (some.size() == 1) {
        some.getFirst().end(e);
        return 1;
      }
      return runEpoch(some.subList(0, 1)); // it may be the fault of another one
    }
    Throwable failure = null;
    try {
      epoch.runAll(some);
      next = epoch.next();
      if (!epoch.write()) {
        clearLog();
        if (!epoch.write()) {
          throw new StorageException(
              "the sequence log is full though all shards have all of it", shards[0].directory);
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      failure = e;
    } finally {
      epoch.free();
    }
    epochs.increment();
    transactions.add(epoch.count());
    epoch.end(failure);
    if (epoch.count() == 0) {
      some.getFirst().end(failure); // it has not come so far, and would not the next time
      return 1;
    }
    return epoch.count();
  }

  /** Makes all epochs durable where they belong, and forgets them. */
  private void clearLog() throws IOException {
    OwnerTask.runAll(List.of(shards), Shard::sync);
    log.clear();
  }
}
