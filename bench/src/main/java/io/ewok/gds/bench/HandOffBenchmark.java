package io.ewok.gds.bench;

import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;

/**
 * What does it cost to hand over from one fiber to another of the same reactor, with a baton? The
 * floor is a bare continuation of the JDK, which is left and entered again. The rivals are virtual
 * threads that unpark each other on one thread of the processor, and platform threads.
 *
 * <p>{@code ./gds bench micro HandOffBenchmark -prof gc}
 */
@Fork(
    value = 3,
    jvmArgsAppend = {
      "-Djdk.virtualThreadScheduler.parallelism=1",
      "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED"
    })
public class HandOffBenchmark extends TaskSuite {
  /** Of an invocation. */
  static final int HAND_OFFS = 50_000;

  /** Of an invocation with threads, which takes longer. */
  static final int THREAD_HAND_OFFS = 2_000;

  /** Waits for its turn, then gives it to the other. */
  private static final class Player extends Task {
    private final Baton mine;
    private final Baton others;
    int turns;

    Player(Baton mine, Baton others) {
      super(Kind.FIBER, Scratch.NONE);
      this.mine = mine;
      this.others = others;
    }

    @Override
    protected void run() {
      for (turns = 0; turns < HAND_OFFS / 2; turns++) {
        mine.await();
        mine.reset();
        others.post();
      }
    }
  }

  private final Baton ping = new Baton();
  private final Baton pong = new Baton();
  private final Player first = new Player(ping, pong);
  private final Player second = new Player(pong, ping);
  private final SynchronousQueue<Integer> there = new SynchronousQueue<>();
  private final SynchronousQueue<Integer> back = new SynchronousQueue<>();
  private Reactor reactor;
  private BareContinuation continuation;
  private long switches;

  /** Starts a reactor. */
  @Setup
  public void open() throws IOException {
    reactor = start();
  }

  /** Fibers with batons. Returns how often one had its turn. */
  @Benchmark
  @OperationsPerInvocation(HAND_OFFS)
  public int baton() {
    reactor.post(first);
    reactor.post(second);
    ping.post();
    await(first);
    await(second);
    ping.reset();
    return second.turns;
  }

  /** A continuation that is left and entered again. Returns how often. */
  @Benchmark
  @OperationsPerInvocation(HAND_OFFS)
  public long continuation() {
    if (continuation == null) {
      continuation = new BareContinuation(() -> switches++);
    }
    long before = switches;
    for (int i = 0; i < HAND_OFFS; i++) {
      continuation.run();
    }
    return switches - before;
  }

  private volatile int turn;

  /** Virtual threads that unpark each other. */
  @Benchmark
  @OperationsPerInvocation(HAND_OFFS)
  public int virtualThread() throws InterruptedException {
    turn = 0;
    Thread[] players = new Thread[2];
    for (int i = 0; i < 2; i++) {
      int own = i;
      players[i] = Thread.ofVirtual().unstarted(() -> play(own, players));
    }
    for (Thread player : players) {
      player.start();
    }
    for (Thread player : players) {
      player.join();
    }
    return turn / 2;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // the turn is whose it says
  private void play(int own, Thread[] players) {
    for (int turns = 0; turns < HAND_OFFS / 2; turns++) {
      while ((turn & 1) != own) {
        LockSupport.park(this);
      }
      turn++;
      LockSupport.unpark(players[1 - own]);
    }
  }

  /** Platform threads with queues that hold nothing. */
  @Benchmark
  @OperationsPerInvocation(THREAD_HAND_OFFS)
  public int platformThread() throws InterruptedException {
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < THREAD_HAND_OFFS / 2; i++) {
                    put(back, take(there));
                  }
                });
    int sum = 0;
    for (int i = 0; i < THREAD_HAND_OFFS / 2; i++) {
      put(there, 1);
      sum += take(back);
    }
    other.join();
    return sum;
  }

  private static void put(SynchronousQueue<Integer> queue, Integer value) {
    try {
      queue.put(value);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Integer take(SynchronousQueue<Integer> queue) {
    try {
      return queue.take();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
