package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.ewok.gds.allocator.BurnWorkers.Burster;
import io.ewok.gds.allocator.BurnWorkers.Churn;
import io.ewok.gds.allocator.BurnWorkers.Consumer;
import io.ewok.gds.allocator.BurnWorkers.Operator;
import io.ewok.gds.allocator.BurnWorkers.Producer;
import io.ewok.gds.allocator.BurnWorkers.ShortLived;
import io.ewok.gds.allocator.BurnWorkers.Trimmer;
import io.ewok.gds.allocator.BurnWorkers.VirtualThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Everything that users may do to a {@link SlabAllocator} at once, with a model beside it: no two
 * live cells overlap, what is written stays, each handle is freed once and refused afterwards, and
 * in the end all memory goes back.
 *
 * <p>Takes seconds, or with {@code -Dgds.test.soak=<minutes>} so many minutes, then with another
 * seed each time. {@code -Dgds.seed} repeats what the threads do, though not how they meet.
 */
class AllocatorBurnTest {
  private static final Duration HANG = Duration.ofSeconds(60);

  private static final long SEED =
      Long.getLong("gds.seed", Soak.isRequested() ? System.nanoTime() : 20261121);

  @Test
  void allocatorSurvivesEverybodyAtOnce() throws Exception {
    BurnScene scene = new BurnScene(24 << 20);
    SlabCalls anyThread = SlabCalls.ofAnyThread(scene.allocator);
    Burn burn = new Burn(SEED, HANG);
    burn.add("shard-1", new Churn(scene, SlabCalls.ofShards(scene.allocator)));
    burn.add("shard-2", new Churn(scene, SlabCalls.ofShards(scene.allocator)));
    burn.add("any-1", new Churn(scene, anyThread));
    burn.add("any-2", new Churn(scene, anyThread));
    burn.add("producer-shard", new Producer(scene, SlabCalls.ofShards(scene.allocator)));
    burn.add("producer-any", new Producer(scene, anyThread));
    burn.add("consumer-shard", new Consumer(scene, SlabCalls.ofShards(scene.allocator)));
    burn.add("consumer-any", new Consumer(scene, anyThread));
    burn.add("burst-shard", new Burster(scene, SlabCalls.ofShards(scene.allocator)));
    burn.add("burst-any", new Burster(scene, anyThread));
    burn.add("operator-shard", new Operator(scene, SlabCalls.ofShards(scene.allocator)));
    burn.add("operator-any", new Operator(scene, anyThread));
    burn.add("trim", new Trimmer(scene));
    burn.add("short-lived", new ShortLived(scene));
    burn.add("virtual", new VirtualThreads(scene));
    replayable(
        () -> {
          burn.run(Soak.isRequested() ? Soak.duration() : Duration.ofSeconds(4));
          scene.close();
        });
  }

  /** A thread that frees what others allocate must not gather it. */
  @ParameterizedTest
  @CsvSource({"64, true", "64, false", "4096, true", "4096, false"})
  void freeOnlyThreadHoardsNothing(int bytes, boolean ofShard) throws Exception {
    int batch = 32;
    long onTheWay = (BurnScene.QUEUE_BATCHES + 2L) * batch * bytes;
    // A quarter more, and a unit that is begun.
    long limitBytes = (onTheWay * 5 / 4 / Region.UNIT_BYTES + 2) * Region.UNIT_BYTES;
    BurnScene scene = new BurnScene(limitBytes);
    SlabCalls shard = SlabCalls.ofShards(scene.allocator);
    SlabCalls anyThread = SlabCalls.ofAnyThread(scene.allocator);
    Burn burn = new Burn(SEED, HANG);
    burn.add(
        "producer",
        _ -> {
          List<BurnBlock> blocks = scene.allocateBatch(anyThread, bytes, batch);
          assertEquals(batch, blocks.size(), () -> "memory is hoarded: " + scene.allocator.stats());
          scene.offer(anyThread, blocks);
        });
    burn.add("consumer", new Consumer(scene, ofShard ? shard : anyThread));
    replayable(
        () -> {
          burn.run(Soak.isRequested() ? Soak.duration().dividedBy(10) : Duration.ofMillis(300));
          scene.close();
        });
  }

  @Test
  @WithoutLetters
  void tenThousandVirtualThreadsDoNotGrowIt() throws Exception {
    int threads = 10_000;
    int bytes = 1024;
    BurnScene scene = new BurnScene(14 << 20);
    SlabCalls calls = SlabCalls.ofAnyThread(scene.allocator);
    for (int wave = 0; wave < 3; wave++) {
      CountDownLatch everybodyHas = new CountDownLatch(threads);
      List<Future<?>> all = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < threads; i++) {
          all.add(
              executor.submit(
                  () -> {
                    BurnBlock block = scene.block(calls.allocate(bytes), bytes);
                    everybodyHas.countDown();
                    everybodyHas.await();
                    assertNotNull(block, () -> "memory is hoarded: " + scene.allocator.stats());
                    scene.free(calls, block);
                    return null;
                  }));
        }
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
    scene.close();
  }

  private static void replayable(Executable burn) throws Exception {
    try {
      burn.execute();
    } catch (Throwable e) {
      throw new AssertionError(
          "replay with: ./build verify -pl allocator -am -Dtest=%s -Dgds.seed=%d%s"
                  .formatted(
                      AllocatorBurnTest.class.getSimpleName(),
                      SEED,
                      Soak.isRequested() ? " -Dgds.test.soak=" + Soak.duration().toMinutes() : "")
              + " -Dsurefire.failIfNoSpecifiedTests=false; seed="
              + SEED,
          e);
    }
  }
}
