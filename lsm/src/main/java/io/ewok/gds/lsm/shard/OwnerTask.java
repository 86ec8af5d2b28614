package io.ewok.gds.lsm.shard;

import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;

/**
 * Something that is done on a fiber of an owner, beside the same on those of others. If the owner
 * has no fiber for it, whoever waits for it does it himself, which is slower and not wrong: a store
 * is for any thread. So what an epoch has decided is not refused, however many calls are under way.
 *
 * <p>Threads: as any task; who waits may be the thread of a reactor itself.
 */
abstract class OwnerTask extends Task {
  /** What is done with a shard. */
  @FunctionalInterface
  interface Work {
    void run(Shard shard) throws IOException;
  }

  private enum State {
    IDLE,
    SENT,
    BEGUN
  }

  final Shard shard;

  /** The caller's, and the owner's while the task is under way. */
  private State state = State.IDLE;

  OwnerTask(Shard shard) {
    super(Kind.FIBER, Scratch.NONE);
    this.shard = shard;
  }

  /** The same work with each of several shards. */
  private static final class Each extends OwnerTask {
    private final Work work;

    Each(Shard shard, Work work) {
      super(shard);
      this.work = work;
    }

    @Override
    void work() throws IOException {
      work.run(shard);
    }
  }

  /** Does it. */
  abstract void work() throws IOException;

  /** Sends it to the owner. To be followed by {@link #awaitAll}. */
  final void begin() {
    state = State.SENT;
    try {
      shard.owner.post(this);
    } catch (RejectedExecutionException e) {
      state = State.SENT; // as if it were refused later: who waits does it
    }
  }

  @Override
  protected final void run() throws IOException {
    state = State.BEGUN;
    work();
  }

  private void finish() throws IOException {
    try {
      await();
    } catch (ExecutionException e) {
      if (state == State.BEGUN) {
        Failures.rethrow(e.getCause());
      }
    }
    if (state == State.SENT) {
      state = State.BEGUN;
      work();
    }
  }

  /** Does it with some shards at the same time, waits for all, and throws the first failure. */
  static void runAll(List<Shard> shards, Work work) throws IOException {
    List<Each> tasks = shards.stream().map(shard -> new Each(shard, work)).toList();
    try {
      tasks.forEach(OwnerTask::begin);
    } finally {
      awaitAll(tasks);
    }
  }

  /** Waits for tasks, but for those that were not sent. Throws the first failure. */
  static void awaitAll(Iterable<? extends OwnerTask> tasks) throws IOException {
    Throwable failure = null;
    for (OwnerTask task : tasks) {
      try {
        task.finish();
      } catch (IOException | RuntimeException | Error e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      Failures.rethrow(failure);
    }
  }
}
