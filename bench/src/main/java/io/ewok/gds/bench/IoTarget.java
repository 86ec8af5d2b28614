package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a contender works with: the open file, an engine, registered memory with a block for each
 * operation in flight, and the order of the blocks in the file.
 *
 * <p>Threads: any, but an {@link Offsets} is one's own.
 */
final class IoTarget implements AutoCloseable {
  final IoCase one;
  final Region region;
  final IoEngine engine;
  final IoFile file;

  private final long blocks;
  private final AtomicLong next = new AtomicLong();

  /**
   * Another order in each run, as fio's, so that nobody finds in the host's cache what was read in
   * the run before.
   */
  private final SplittableRandom seeds = new SplittableRandom(System.nanoTime());

  IoTarget(IoCase one, BenchFile file, EngineKind kind) throws IOException {
    this.one = one;
    blocks = file.sizeBytes() / one.blockBytes();
    long bytes = (long) one.depth() * one.blockBytes();
    bytes = (bytes + Region.UNIT_BYTES - 1) / Region.UNIT_BYTES * Region.UNIT_BYTES;
    // Huge pages for us and for fio: a device is much faster with memory that is in one piece, and
    // of small pages it is a matter of luck how many pieces there are.
    region =
        Region.map(
            MemoryBudget.root("bench", 2 * bytes),
            RegionOptions.ofSize(bytes).withPrefaultThreads(1));
    byte[] noise = new byte[(int) bytes];
    seeds.nextBytes(noise);
    region.segment().asByteBuffer().put(noise);
    IoEngine opened = null;
    boolean complete = false;
    try {
      opened =
          IoEngines.open(
              EngineOptions.defaults()
                  .withWanted(kind)
                  .withQueueDepth(one.depth())
                  .withPoolThreads(one.depth())
                  .withSyncMethod(one.sync()));
      opened.register(region);
      engine = opened;
      this.file =
          engine.open(
              file.path(), one.pattern().isWrite ? OpenMode.READ_WRITE : OpenMode.READ_ONLY);
      complete = true;
    } finally {
      if (!complete) {
        if (opened != null) {
          opened.close();
        }
        region.close();
      }
    }
  }

  /** Returns the order for one thread or request. */
  Offsets offsets() {
    return new Offsets(one.pattern().isRandom ? seeds.split() : null);
  }

  /** The blocks of one thread or request; those in sequence are dealt out to all. */
  final class Offsets {
    private final SplittableRandom random;

    private Offsets(SplittableRandom random) {
      this.random = random;
    }

    /** Returns the offset of the next block in the file. */
    long next() {
      long block = random == null ? next.getAndIncrement() % blocks : random.nextLong(blocks);
      return block * one.blockBytes();
    }
  }

  @Override
  public void close() throws IOException {
    engine.close();
    region.close();
  }
}
