package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Reactors that send each other tasks. */
@ParameterizedClass
@EnumSource(names = {"REACTOR", "VIRTUAL"})
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ShardTest {
  private final FiberMode mode;
  private final List<Reactor> shards = new ArrayList<>();

  ShardTest(FiberMode mode) {
    assumeTrue(mode != FiberMode.REACTOR || FiberThreads.reason() == null, FiberThreads::reason);
    this.mode = mode;
  }

  @AfterEach
  void close() {
    shards.forEach(Reactor::close);
  }

  private Reactor shard(int inbox, int fibers, int fibersMax) throws IOException {
    Reactor shard =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("shard-" + shards.size())
                .withFibers(
                    FiberOptions.defaults()
                        .withMode(mode)
                        .withFibers(fibers, fibersMax)
                        .withInbox(inbox)));
    shards.add(shard);
    return shard;
  }

  private interface Body {
    void run(Tester task) throws Exception;
  }

  private static final class Tester extends Task {
    private final Body body;
    int result;

    Tester(Kind kind, Body body) {
      super(kind, Scratch.NONE);
      this.body = body;
    }

    Tester(Body body) {
      this(Kind.FIBER, body);
    }

    @Override
    protected void run() throws Exception {
      body.run(this);
    }

    void forks(Reactor reactor, Task child) {
      fork(reactor, child);
    }

    void joins() throws ExecutionException {
      joinAll();
    }
  }

  @Test
  void aFutureTellsWhoIsOutside() throws Exception {
    Reactor shard = shard(16, 4, 8);
    CompletableFuture<String> name = shard.submit(() -> Reactor.current() == shard ? "own" : "no");
    assertEquals("own", name.get(20, TimeUnit.SECONDS));
    Exception bug = new Exception("a bug");
    CompletableFuture<String> failed =
        shard.submit(
            () -> {
              throw bug;
            });
    assertSame(bug, assertThrows(ExecutionException.class, failed::get).getCause());
    shard.close();
    assertThrows(IllegalStateException.class, () -> shard.submit(() -> "late"));
  }

  @Test
  void anotherShardIsAskedWithAndWithoutWaiting() throws Exception {
    Reactor here = shard(16, 4, 8);
    Reactor there = shard(16, 4, 8);
    for (Task.Kind kind : Task.Kind.values()) {
      Tester caller =
          new Tester(
              self -> {
                List<Tester> asked = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                  int number = i;
                  Tester question =
                      new Tester(
                          kind,
                          own -> {
                            assertSame(there, Reactor.current());
                            own.result = number * number;
                          });
                  asked.add(question);
                  there.post(question);
                }
                // Not waited for until now; they come back by themselves.
                for (Tester question : asked) {
                  question.await();
                  self.result += question.result;
                }
                Tester forked = new Tester(kind, own -> own.result = 1000);
                self.forks(there, forked);
                self.joins();
                self.result += forked.result;
              });
      here.post(caller);
      caller.await();
      assertEquals(140 + 1000, caller.result);
    }
  }

  @Test
  void whatFailsThereIsThrownHere() throws Exception {
    Reactor here = shard(16, 4, 8);
    Reactor there = shard(16, 4, 8);
    Exception bug = new Exception("a bug");
    Tester caller =
        new Tester(
            self -> {
              Tester question =
                  new Tester(
                      own -> {
                        throw bug;
                      });
              there.post(question);
              question.await();
            });
    here.post(caller);
    ExecutionException e = assertThrows(ExecutionException.class, caller::await);
    assertSame(bug, assertInstanceOf(ExecutionException.class, e.getCause()).getCause());
  }

  /** Calls the next shard, and that one the next, until the depth is used up. */
  private final class Hop extends Task {
    private final int depth;
    int hops;

    Hop(int depth) {
      super(Kind.FIBER, Scratch.NONE);
      this.depth = depth;
    }

    @Override
    protected void run() throws Exception {
      if (depth > 0) {
        Hop next = new Hop(depth - 1);
        shards.get((shards.indexOf(Reactor.current()) + 1) % shards.size()).post(next);
        next.await();
        hops = next.hops + 1;
      }
    }
  }

  @Test
  void cyclesOfCallsEndThoughInboxesAndFibersAreFew() throws Exception {
    for (int i = 0; i < 3; i++) {
      shard(1, 4, 1000);
    }
    List<Hop> all = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      Hop hop = new Hop(50);
      all.add(hop);
      shards.get(i % 3).post(hop);
    }
    for (Hop hop : all) {
      hop.await();
      assertEquals(50, hop.hops);
    }
  }

  @Test
  void cyclesDeeperThanThereAreFibersAreRefusedAndDoNotHang() throws Exception {
    shard(4, 2, 10);
    shard(4, 2, 10);
    Hop hop = new Hop(100);
    shards.getFirst().post(hop);
    Throwable cause = assertThrows(ExecutionException.class, hop::await);
    while (cause instanceof ExecutionException) {
      cause = cause.getCause();
    }
    assertInstanceOf(RejectedExecutionException.class, cause);
    // All is well afterwards.
    Hop shallow = new Hop(5);
    shards.getFirst().post(shallow);
    shallow.await();
    assertEquals(5, shallow.hops);
  }

  /** Fills a shard with one fiber: it waits for the baton, which is returned. */
  private static Baton occupy(Reactor shard) {
    Baton go = new Baton();
    Baton started = new Baton();
    shard.post(
        new Tester(
            self -> {
              started.post();
              go.await();
            }));
    started.await();
    return go;
  }

  @Test
  void aFullInboxPushesBackOnWhoIsOutside() throws Exception {
    Reactor shard = shard(2, 1, 8);
    Baton go = occupy(shard);
    List<Tester> accepted = List.of(new Tester(self -> {}), new Tester(self -> {}));
    for (Tester task : accepted) {
      assertTrue(shard.tryPost(task));
    }
    Tester refused = new Tester(self -> {});
    assertFalse(shard.tryPost(refused));
    assertTrue(refused.isDone(), "it is the caller's");
    AtomicInteger sent = new AtomicInteger();
    Thread sender =
        Thread.ofPlatform()
            .start(
                () -> {
                  shard.post(refused);
                  sent.incrementAndGet();
                });
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (sender.getState() != Thread.State.WAITING) {
      assertTrue(System.nanoTime() < deadline, "the sender does not wait");
      Thread.onSpinWait();
    }
    assertEquals(0, sent.get());
    go.post();
    sender.join();
    refused.await();
    for (Tester task : accepted) {
      task.await();
    }
  }

  @Test
  void aFullInboxMakesAFiberWaitAndNotItsReactor() throws Exception {
    Reactor here = shard(16, 4, 8);
    Reactor there = shard(1, 1, 8);
    var hold = new ReactorFixture.Hold(there);
    Tester accepted = new Tester(self -> {});
    assertTrue(there.tryPost(accepted));
    AtomicInteger steps = new AtomicInteger();
    Tester question = new Tester(self -> {});
    Tester sender =
        new Tester(
            self -> {
              steps.set(1);
              there.post(question);
              steps.set(2);
            });
    here.post(sender);
    // The shard that sends goes on with others. Twice: the first may overtake the sender.
    for (int i = 0; i < 2; i++) {
      Tester other = new Tester(self -> Task.yieldNow());
      here.post(other);
      assertTrue(other.await(TimeUnit.SECONDS.toNanos(20)), "the reactor itself waits");
    }
    assertEquals(1, steps.get(), "the fiber waits");
    hold.letGo();
    sender.await();
    question.await();
    accepted.await();
    assertEquals(2, steps.get());
  }

  @Test
  void theThreadOfAReactorIsToldThatAnInboxIsFull() throws Exception {
    Reactor here = shard(16, 4, 8);
    Reactor there = shard(1, 1, 8);
    Baton go = occupy(there);
    Tester accepted = new Tester(self -> {});
    there.post(accepted);
    Tester direct =
        new Tester(
            Task.Kind.DIRECT,
            self -> {
              Tester more = new Tester(own -> {});
              assertFalse(there.tryPost(more));
              assertThrows(RejectedExecutionException.class, () -> there.post(more));
              assertTrue(more.isDone());
            });
    here.post(direct);
    direct.await();
    go.post();
    accepted.await();
  }

  @Test
  void manySendersLoseNothing() throws Exception {
    Reactor a = shard(8, 4, 1000);
    Reactor b = shard(8, 4, 1000);
    int rounds = 300;
    int[] counts = new int[2]; // each by tasks that exclude each other
    List<Tester> senders = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Reactor from = i % 2 == 0 ? a : b;
      Reactor to = i % 2 == 0 ? b : a;
      int index = i % 2;
      Tester sender =
          new Tester(
              self -> {
                Tester add = new Tester(Task.Kind.DIRECT, own -> counts[index]++);
                for (int round = 0; round < rounds; round++) {
                  to.post(add);
                  add.await();
                }
              });
      senders.add(sender);
      from.post(sender);
    }
    for (Tester sender : senders) {
      sender.await();
    }
    Tester sum = new Tester(Task.Kind.DIRECT, self -> self.result = counts[0] + counts[1]);
    a.post(sum);
    sum.await();
    assertEquals(8 * rounds, sum.result);
  }

  @Test
  void aReactorThatClosesTellsThoseWhoAskedIt() throws Exception {
    Reactor here = shard(16, 4, 8);
    Reactor there = shard(16, 4, 8);
    Baton asked = new Baton();
    Tester caller =
        new Tester(
            self -> {
              Tester question = new Tester(own -> Task.waitFor(new Baton()));
              there.post(question);
              asked.post();
              question.await();
            });
    here.post(caller);
    asked.await();
    there.close();
    Throwable failure = assertThrows(Exception.class, caller::await);
    assertTrue(caller.isDone(), () -> "failure=" + failure);
  }
}
