package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What several tests need: files with known blocks, and waiting for threads that wait. */
final class BufferFixture {
  /** Each 512 bytes of a test file start with their offset. */
  static final int UNIT = 512;

  private BufferFixture() {}

  static MemoryBudget budget() {
    return MemoryBudget.root("buffer test", 256L << 20);
  }

  /** Frames without a pool, latched exclusively. */
  static Frame[] frames(FrameLines lines, int count) {
    Frame[] frames = new Frame[count];
    for (int i = 0; i < count; i++) {
      frames[i] = new Frame(lines, i, i, null, null, 0);
    }
    return frames;
  }

  static Frame frame() {
    return frames(new FrameLines(1), 1)[0];
  }

  static void writeBlocks(IoEngine engine, Path path, int units) throws IOException {
    try (Region region = Region.map(budget(), RegionOptions.ofSize((long) UNIT * units));
        IoFile file = engine.open(path, OpenMode.CREATE_NEW)) {
      for (long unit = 0; unit < units; unit++) {
        region.segment().set(ValueLayout.JAVA_LONG_UNALIGNED, unit * UNIT, unit * UNIT);
      }
      file.write(0, region, 0, UNIT * units);
      file.sync();
    }
  }

  static void verifyBlock(Path path, long offset, MemorySegment block) throws CorruptFileException {
    for (long at = 0; at < block.byteSize(); at += UNIT) {
      long found = block.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
      if (found != offset + at) {
        throw new CorruptFileException(path, offset + at, offset + at, found);
      }
    }
  }

  /** Returns when all threads wait for something. */
  static void awaitWaiting(List<Thread> threads) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    for (Thread thread : threads) {
      while (thread.getState() != Thread.State.WAITING
          && thread.getState() != Thread.State.TIMED_WAITING) {
        assertTrue(System.nanoTime() < deadline, () -> "does not wait: " + thread);
        Thread.onSpinWait();
      }
    }
  }
}
