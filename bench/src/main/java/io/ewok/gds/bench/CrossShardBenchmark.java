package io.ewok.gds.bench;

import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * How long does it take to ask another shard and have the answer? The rivals are executors with one
 * thread each that ask each other.
 *
 * <p>{@code ./gds bench micro CrossShardBenchmark -prof gc}
 */
public class CrossShardBenchmark extends TaskSuite {
  /** Of an invocation. */
  static final int QUESTIONS = 1000;

  /** Adds one. */
  private static final class Question extends Task {
    int number;

    Question(Kind kind) {
      super(kind, Scratch.NONE);
    }

    @Override
    protected void run() {
      number++;
    }
  }

  /** Asks, and waits for each answer. */
  private static final class Asking extends Task {
    final Question question;
    Reactor other;

    Asking(Kind kind) {
      super(Kind.FIBER, Scratch.NONE);
      this.question = new Question(kind);
    }

    @Override
    protected void run() throws ExecutionException {
      question.number = 0;
      for (int i = 0; i < QUESTIONS; i++) {
        other.post(question);
        question.await();
      }
    }
  }

  private final Asking directs = new Asking(Task.Kind.DIRECT);
  private final Asking onFibers = new Asking(Task.Kind.FIBER);
  private Reactor here;
  private Reactor there;
  private ExecutorService platformThread;
  private ExecutorService otherPlatformThread;

  /** Starts everything. */
  @Setup
  public void open() throws IOException {
    here = start();
    there = start();
    directs.other = there;
    onFibers.other = there;
    ThreadFactory platform = Thread.ofPlatform().daemon().factory();
    platformThread = Executors.newSingleThreadExecutor(platform);
    otherPlatformThread = Executors.newSingleThreadExecutor(platform);
  }

  /** Ends everything. */
  @Override
  @TearDown
  public void close() {
    platformThread.close();
    otherPlatformThread.close();
    super.close();
  }

  /** Asks tasks on the other reactor's own thread. Returns the last answer. */
  @Benchmark
  @OperationsPerInvocation(QUESTIONS)
  public int direct() {
    run(here, directs);
    return directs.question.number;
  }

  /** Asks tasks on fibers of the other reactor. */
  @Benchmark
  @OperationsPerInvocation(QUESTIONS)
  public int fiber() {
    run(here, onFibers);
    return onFibers.question.number;
  }

  /** Submits to an executor from the thread of another. */
  @Benchmark
  @OperationsPerInvocation(QUESTIONS)
  public int executor() throws ExecutionException, InterruptedException {
    return platformThread
        .submit(
            () -> {
              int number = 0;
              for (int i = 0; i < QUESTIONS; i++) {
                int before = number;
                number = otherPlatformThread.submit(() -> before + 1).get();
              }
              return number;
            })
        .get();
  }

  /** Two executors call each other by futures, so that no thread waits for one. */
  @Benchmark
  @OperationsPerInvocation(QUESTIONS)
  public int completableFuture() {
    CompletableFuture<Integer> all = new CompletableFuture<>();
    platformThread.execute(() -> ask(0, all));
    return all.join();
  }

  private void ask(int number, CompletableFuture<Integer> all) {
    if (number == QUESTIONS) {
      all.complete(number);
      return;
    }
    CompletableFuture<Void> unused =
        CompletableFuture.supplyAsync(() -> number + 1, otherPlatformThread)
            .thenAcceptAsync(next -> ask(next, all), platformThread);
  }

  /** A virtual thread starts another one and waits for its end. */
  @Benchmark
  @OperationsPerInvocation(QUESTIONS)
  public int virtualThread() throws InterruptedException {
    int[] number = new int[1];
    Thread.ofVirtual()
        .start(
            () -> {
              for (int i = 0; i < QUESTIONS; i++) {
                join(Thread.startVirtualThread(() -> number[0]++));
              }
            })
        .join();
    return number[0];
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
