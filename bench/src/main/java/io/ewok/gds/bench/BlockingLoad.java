package io.ewok.gds.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Threads or fibers, each of which waits for one operation after the other. */
final class BlockingLoad extends IoLoad {
  /** Somebody who works, and who can be waited for. */
  interface Worker {
    void join() throws InterruptedException;
  }

  private final Function<Runnable, Worker> start;
  private final List<Worker> started = new ArrayList<>();

  /**
   * Prepares a run.
   *
   * @param start begins to do what it is given, on a thread or fiber of its own
   */
  BlockingLoad(IoTarget target, Function<Runnable, Worker> start) {
    super(target);
    this.start = start;
  }

  @Override
  void start() {
    for (int i = 0; i < target.one.depth(); i++) {
      long regionOffset = (long) i * target.one.blockBytes();
      IoTarget.Offsets offsets = target.offsets();
      started.add(start.apply(() -> work(offsets, regionOffset)));
    }
  }

  private void work(IoTarget.Offsets offsets, long regionOffset) {
    Times times = times();
    try {
      while (!isStopping()) {
        long offset = offsets.next();
        times.begin();
        count(transfer(offset, regionOffset));
        times.end();
      }
    } catch (IOException | RuntimeException e) {
      fail(e);
    }
  }

  private int transfer(long offset, long regionOffset) throws IOException {
    int bytes = target.one.blockBytes();
    if (!target.one.pattern().isWrite) {
      return target.file.read(offset, target.region, regionOffset, bytes);
    }
    if (target.one.isSynced()) {
      target.file.writeSynced(offset, target.region, regionOffset, bytes);
    } else {
      target.file.write(offset, target.region, regionOffset, bytes);
    }
    return bytes;
  }

  @Override
  void join() throws InterruptedException {
    for (Worker worker : started) {
      worker.join();
    }
  }
}
