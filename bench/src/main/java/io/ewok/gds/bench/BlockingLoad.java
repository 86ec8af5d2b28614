package io.ewok.gds.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Threads, each of which waits for one operation after the other. */
final class BlockingLoad extends IoLoad {
  private final Thread.Builder threads;
  private final List<Thread> started = new ArrayList<>();

  BlockingLoad(IoTarget target, Thread.Builder threads) {
    super(target);
    this.threads = threads;
  }

  @Override
  void start() {
    for (int i = 0; i < target.one.depth(); i++) {
      long regionOffset = (long) i * target.one.blockBytes();
      IoTarget.Offsets offsets = target.offsets();
      started.add(threads.start(() -> work(offsets, regionOffset)));
    }
  }

  private void work(IoTarget.Offsets offsets, long regionOffset) {
    try {
      while (!isStopping()) {
        count(transfer(offsets.next(), regionOffset));
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
    for (Thread thread : started) {
      thread.join();
    }
  }
}
