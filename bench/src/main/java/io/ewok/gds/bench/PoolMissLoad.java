package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedBlockFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.reactor.Reactor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/**
 * Fibers that read blocks through a buffer manager, none of which is in its pool. A checksum is
 * taken of each, as of every block that anybody reads through it.
 */
final class PoolMissLoad extends IoLoad {
  private static final long POOL_BYTES = 8L << 20;

  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  private final BufferManager manager;
  private final CachedBlockFile file;
  private final long blocks;
  private final AtomicLong visits = new AtomicLong(System.nanoTime() & Integer.MAX_VALUE);
  private final List<CompletableFuture<?>> fibers = new ArrayList<>();

  PoolMissLoad(IoTarget target, long sizeBytes) throws IOException {
    super(target);
    BufferOptions options = new BufferOptions(POOL_BYTES, target.one.blockBytes(), null);
    manager =
        new BufferManager(
            target.engine, MemoryBudget.root("bench", options.memoryBytes()), options);
    file = manager.openBlocks(target.file.path(), PoolMissLoad::verify);
    blocks = Long.highestOneBit(sizeBytes / target.one.blockBytes());
  }

  /** What is in the file nobody knows; a sum of zero stands for one that is wrong. */
  private static void verify(Path path, long offset, MemorySegment block)
      throws CorruptFileException {
    CRC32C crc = new CRC32C();
    crc.update(block.asByteBuffer());
    if (crc.getValue() == 0) {
      throw new CorruptFileException(path, offset, "a checksum", 0);
    }
  }

  @Override
  void start() {
    Reactor reactor = target.engine.reactors().getFirst();
    for (int i = 0; i < target.one.depth(); i++) {
      fibers.add(reactor.submit(Executors.callable(this::work)));
    }
  }

  private void work() {
    int bytes = target.one.blockBytes();
    Times times = times();
    try (Fix fix = new Fix()) {
      while (!isStopping()) {
        long offset = scatter(visits.getAndIncrement()) * bytes;
        times.begin();
        file.fix(offset, bytes, fix);
        count((int) fix.segment().byteSize());
        fix.unfix();
        times.end();
      }
    } catch (IOException | RuntimeException e) {
      fail(e);
    }
  }

  /**
   * A block for each number, as if by chance, but none twice in as many as there are: it has left
   * the pool until it comes again. Each step can be undone, so no two numbers meet.
   */
  private long scatter(long number) {
    long mask = blocks - 1;
    int half = Math.max(1, Long.bitCount(mask) / 2);
    long block = number * MIX & mask;
    block ^= block >>> half;
    block = block * MIX & mask;
    return block ^ block >>> half;
  }

  @Override
  void join() {
    fibers.forEach(CompletableFuture::join);
    long hits = manager.stats().hits();
    if (hits > 0) {
      fail(new IOException("blocks were in the pool already: hits=" + hits));
    }
    try {
      manager.close();
    } catch (IOException e) {
      fail(e);
    }
  }
}
