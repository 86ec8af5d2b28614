package io.ewok.gds.lsm.shard;

import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;

/**
 * Something short that is done on a fiber of an owner, beside the same on those of others.
 *
 * <p>Threads: as any task; who waits may be the thread of a reactor itself.
 */
final class OwnerTask extends Task {
  /** What is done with a shard. */
  @FunctionalInterface
  interface Work {
    void run(Shard shard) throws IOException;
  }

  private final Shard shard;
  private final Work work;

  OwnerTask(Shard shard, Work work) {
    super(Kind.FIBER, Scratch.NONE);
    this.shard = shard;
    this.work = work;
  }

  @Override
  protected void run() throws IOException {
    work.run(shard);
  }

  /** Does it with some shards at the same time, waits for all, and throws the first failure. */
  static void runAll(List<Shard> shards, Work work) throws IOException {
    List<OwnerTask> tasks = shards.stream().map(shard -> new OwnerTask(shard, work)).toList();
    try {
      tasks.forEach(task -> task.shard.owner.post(task));
    } finally {
      awaitAll(tasks);
    }
  }

  /** Waits for tasks, those that were not sent are done. Throws the first failure. */
  static void awaitAll(Iterable<? extends Task> tasks) throws IOException {
    Throwable failure = null;
    for (Task task : tasks) {
      try {
        task.await();
      } catch (ExecutionException e) {
        failure = failure == null ? e.getCause() : failure;
      } catch (CancellationException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      Failures.rethrow(failure);
    }
  }
}
