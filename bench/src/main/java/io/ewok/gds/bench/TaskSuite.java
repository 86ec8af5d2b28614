package io.ewok.gds.bench;

import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the benchmarks of tasks share: nanoseconds for each, measured on the reactor, to which the
 * thread of JMH sends many at once.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public abstract class TaskSuite {
  /** Who runs the fibers: {@code reactor} or {@code virtual}. */
  @Param("reactor")
  public String fibers = "reactor";

  private final List<Reactor> reactors = new ArrayList<>();

  /** Starts a reactor, which {@link #close} closes. */
  final Reactor start() throws IOException {
    Reactor reactor =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("shard-" + reactors.size())
                .withFibers(
                    FiberOptions.defaults()
                        .withMode(FiberMode.valueOf(fibers.toUpperCase(Locale.ROOT)))));
    reactors.add(reactor);
    return reactor;
  }

  /** Runs a task to its end. */
  static void run(Reactor reactor, Task task) {
    reactor.post(task);
    await(task);
  }

  static void await(Task task) {
    try {
      task.await();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Closes the reactors. */
  @TearDown
  public void close() {
    reactors.forEach(Reactor::close);
    reactors.clear();
  }
}
