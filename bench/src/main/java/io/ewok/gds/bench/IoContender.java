package io.ewok.gds.bench;

import io.ewok.gds.pagestore.EngineKind;
import java.io.IOException;

/** Who of ours does I/O. */
enum IoContender {
  /** Requests of the io_uring engine, each submitted again when its completion is told. */
  URING("io_uring engine", EngineKind.URING),

  /** The same with the engine of threads, as many as operations are in flight. */
  POOL("pool engine", EngineKind.POOL),

  /** Platform threads with blocking calls. No engine has a part in them. */
  PLATFORM_THREADS("platform thread", EngineKind.POOL),

  /** Ordinary virtual threads that wait for the io_uring engine. */
  VIRTUAL_THREADS("virtual thread", EngineKind.URING);

  private final String label;
  private final EngineKind engine;

  IoContender(String label, EngineKind engine) {
    this.label = label;
    this.engine = engine;
  }

  /** Returns the name for people in a case. */
  String name(IoCase one) {
    return switch (this) {
      case URING, POOL -> label;
      case PLATFORM_THREADS, VIRTUAL_THREADS ->
          one.depth() == 1 ? "1 " + label : one.depth() + " " + label + "s";
    };
  }

  /** Prepares a run on the file. */
  IoLoad open(IoCase one, BenchFile file) throws IOException {
    IoTarget target = new IoTarget(one, file, engine);
    return switch (this) {
      case URING, POOL -> new QueueLoad(target);
      case PLATFORM_THREADS -> new BlockingLoad(target, Thread.ofPlatform());
      case VIRTUAL_THREADS -> new BlockingLoad(target, Thread.ofVirtual());
    };
  }
}
