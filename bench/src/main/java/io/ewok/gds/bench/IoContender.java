package io.ewok.gds.bench;

import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Executors;

/** Who of ours does I/O. */
enum IoContender {
  /** Requests of the io_uring engine, each submitted again when its completion is told. */
  URING("io_uring engine", EngineKind.URING),

  /** The same with the engine of threads, as many as operations are in flight. */
  POOL("pool engine", EngineKind.POOL),

  /** Fibers with blocking calls, on the reactor of the io_uring engine, which runs them. */
  REACTOR_FIBERS("reactor-run fiber", EngineKind.URING),

  /** Ordinary virtual threads that wait for the io_uring engine. */
  VIRTUAL_THREADS("virtual thread", EngineKind.URING),

  /** Platform threads with blocking calls. No engine has a part in them. */
  PLATFORM_THREADS("platform thread", EngineKind.POOL),

  /** Fibers that fix blocks in a buffer manager, which has none of them. */
  POOL_MISSES("fibers that miss in the pool", EngineKind.URING);

  private final String label;
  private final EngineKind engine;

  IoContender(String label, EngineKind engine) {
    this.label = label;
    this.engine = engine;
  }

  String label() {
    return label;
  }

  /** Returns the name for people in a case. */
  String name(IoCase one) {
    return switch (this) {
      case URING, POOL -> label;
      case REACTOR_FIBERS, VIRTUAL_THREADS, PLATFORM_THREADS ->
          one.depth() == 1 ? "1 " + label : one.depth() + " " + label + "s";
      case POOL_MISSES -> one.depth() + " " + label;
    };
  }

  /** Returns why it cannot take part in this JVM; empty if it can. */
  Optional<String> absence() throws IOException {
    return this == REACTOR_FIBERS ? absenceOfFibers() : Optional.empty();
  }

  private static Optional<String> absenceOfFibers() throws IOException {
    try (Reactor reactor = Reactor.start(ReactorOptions.defaults())) {
      if (reactor.runsFibers()) {
        return Optional.empty();
      }
    }
    FiberOptions byReactor = FiberOptions.defaults().withMode(FiberMode.REACTOR);
    try {
      Reactor.start(ReactorOptions.defaults().withFibers(byReactor)).close();
      return Optional.of("gds.fibers=" + System.getProperty("gds.fibers"));
    } catch (IOException e) {
      // Says which flag it takes.
      return Optional.of(Optional.ofNullable(e.getCause()).orElse(e).getMessage());
    }
  }

  /** Prepares a run on the file. */
  IoLoad open(IoCase one, BenchFile file) throws IOException {
    IoTarget target = new IoTarget(one, file, engine);
    return switch (this) {
      case URING, POOL -> new QueueLoad(target);
      case REACTOR_FIBERS -> {
        Reactor reactor = target.engine.reactors().getFirst();
        yield new BlockingLoad(target, body -> reactor.submit(Executors.callable(body))::join);
      }
      case VIRTUAL_THREADS ->
          new BlockingLoad(target, body -> Thread.ofVirtual().start(body)::join);
      case PLATFORM_THREADS ->
          new BlockingLoad(target, body -> Thread.ofPlatform().start(body)::join);
      case POOL_MISSES -> new PoolMissLoad(target, file.sizeBytes());
    };
  }
}
