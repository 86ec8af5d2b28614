package io.ewok.gds.bench;

import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RecursiveAction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does it cost to fork a small task on one core, run and join it? The rivals are the JDK's
 * fork/join tasks and virtual threads, on one thread of the processor, too.
 *
 * <p>{@code ./gds bench micro TaskBenchmark -prof gc}
 */
@Fork(value = 3, jvmArgsAppend = "-Djdk.virtualThreadScheduler.parallelism=1")
public class TaskBenchmark extends TaskSuite {
  /** Tasks that are forked before they are joined. */
  static final int WIDTH = 64;

  private static final int ROUNDS = 500;

  /** Tasks of an invocation. */
  static final int TASKS = WIDTH * ROUNDS;

  /** Counts. */
  private static final class Leaf extends Task {
    long runs;

    Leaf(Kind kind) {
      super(kind, Scratch.NONE);
    }

    @Override
    protected void run() {
      runs++;
    }
  }

  /** Forks and joins the leaves, over and over. */
  private static final class Root extends Task {
    final Leaf[] leaves = new Leaf[WIDTH];

    Root(Kind ofLeaves) {
      super(Kind.FIBER, Scratch.NONE);
      for (int i = 0; i < WIDTH; i++) {
        leaves[i] = new Leaf(ofLeaves);
      }
    }

    @Override
    protected void run() throws ExecutionException {
      for (int round = 0; round < ROUNDS; round++) {
        for (Leaf leaf : leaves) {
          fork(leaf);
        }
        joinAll();
      }
    }
  }

  private static final class Action extends RecursiveAction {
    private static final long serialVersionUID = 1;

    private final transient Runnable body;

    Action(Runnable body) {
      this.body = body;
    }

    @Override
    protected void compute() {
      body.run();
    }
  }

  private final Root directs = new Root(Task.Kind.DIRECT);
  private final Root fibersRoot = new Root(Task.Kind.FIBER);
  private Reactor reactor;
  private ForkJoinPool pool;
  private long runs;

  /** Starts a reactor, and a pool with one thread. */
  @Setup
  public void open() throws IOException {
    reactor = start();
    pool = new ForkJoinPool(1);
  }

  /** Ends both. */
  @Override
  @TearDown
  public void close() {
    pool.close();
    super.close();
  }

  /** Tasks on the reactor's own thread. Returns how often the first one has run. */
  @Benchmark
  @OperationsPerInvocation(TASKS)
  public long direct() {
    run(reactor, directs);
    return directs.leaves[0].runs;
  }

  /** Tasks on fibers, which do not wait. */
  @Benchmark
  @OperationsPerInvocation(TASKS)
  public long fiber() {
    run(reactor, fibersRoot);
    return fibersRoot.leaves[0].runs;
  }

  /** Fork/join tasks on the one thread of their pool. */
  @Benchmark
  @OperationsPerInvocation(TASKS)
  public long forkJoin() {
    long before = runs;
    Action[] leaves = new Action[WIDTH];
    pool.invoke(
        new Action(
            () -> {
              for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < WIDTH; i++) {
                  leaves[i] = new Action(() -> runs++);
                  leaves[i].fork();
                }
                for (int i = WIDTH - 1; i >= 0; i--) {
                  leaves[i].join();
                }
              }
            }));
    return (runs - before) / WIDTH;
  }

  /** A virtual thread for each task, started by another one. */
  @Benchmark
  @OperationsPerInvocation(TASKS)
  public long virtualThread() throws InterruptedException {
    long before = runs;
    Thread[] leaves = new Thread[WIDTH];
    Thread root =
        Thread.startVirtualThread(
            () -> {
              for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < WIDTH; i++) {
                  leaves[i] = Thread.startVirtualThread(() -> runs++);
                }
                for (Thread leaf : leaves) {
                  join(leaf);
                }
              }
            });
    root.join();
    return (runs - before) / WIDTH;
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
