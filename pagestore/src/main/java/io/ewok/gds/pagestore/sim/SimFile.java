package io.ewok.gds.pagestore.sim;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.pagestore.AtomicWrites;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;

/** An open file of the simulation; the device does the work, under the engine's lock. */
final class SimFile implements IoFile {
  private final SimEngine engine;
  private final Path path;
  private final SimNode node;
  private final boolean writable;

  private volatile WorkClass workClass = WorkClass.FOREGROUND;

  /** Guarded by the engine's lock. */
  boolean closed;

  /** Transfers that have not ended. Guarded by the engine's lock. */
  int inFlight;

  /** The failed sync that poisoned this file, or null. Guarded by the engine's lock. */
  IOException failedSync;

  SimFile(SimEngine engine, Path path, SimNode node, boolean writable) {
    this.engine = engine;
    this.path = path;
    this.node = node;
    this.writable = writable;
  }

  SimEngine engine() {
    return engine;
  }

  SimNode node() {
    return node;
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long sizeBytes() {
    try (SimEngine.Held _ = engine.enter(this)) {
      return node.sizeBytes();
    }
  }

  @Override
  public int alignmentBytes() {
    return engine.alignmentBytes();
  }

  @Override
  public boolean isDirect() {
    return true;
  }

  @Override
  public AtomicWrites atomicWrites() {
    int max = engine.atomicBytesMax();
    return max == 0 ? AtomicWrites.NONE : new AtomicWrites(engine.alignmentBytes(), max);
  }

  @Override
  public WorkClass workClass() {
    return workClass;
  }

  @Override
  public void setWorkClass(WorkClass work) {
    workClass = Objects.requireNonNull(work, "work");
  }

  @Override
  public boolean canWrite() {
    return writable;
  }

  @Override
  public void preallocate(long offset, long length) throws IOException {
    requireWritable();
    if (offset < 0 || length < 0 || offset + length < 0) {
      throw new IllegalArgumentException(
          "a range is not negative: offset=%d length=%d".formatted(offset, length));
    }
    try (SimEngine.Held _ = engine.enter(this)) {
      engine.device().preallocate(this, offset, length);
    }
  }

  @Override
  public void punchHole(long offset, long length) throws IOException {
    requireWritable();
    checkHole(offset, length);
    try (SimEngine.Held _ = engine.enter(this)) {
      engine.device().punchHole(this, offset, length);
    }
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    requireWritable();
    if (sizeBytes < 0) {
      throw new IllegalArgumentException("a size is not negative: sizeBytes=" + sizeBytes);
    }
    try (SimEngine.Held _ = engine.enter(this)) {
      engine.device().truncate(this, sizeBytes);
    }
  }

  @Override
  public int read(long offset, Region region, long regionOffset, int length) throws IOException {
    if (engine.takesTime()) {
      return await(new IoRequest().prepareRead(this, offset, region, regionOffset, length));
    }
    checkTransfer(offset, region, regionOffset, length);
    RegionLeases.take(region, regionOffset, length);
    try (SimEngine.Held _ = engine.enter(this)) {
      MemorySegment memory = region.segment().asSlice(regionOffset, length);
      return engine.device().read(this, offset, memory, length);
    } finally {
      RegionLeases.giveBack(region, regionOffset, length);
    }
  }

  @Override
  public void write(long offset, Region region, long regionOffset, int length) throws IOException {
    write(offset, region, regionOffset, length, false);
  }

  @Override
  public void writeSynced(long offset, Region region, long regionOffset, int length)
      throws IOException {
    write(offset, region, regionOffset, length, true);
  }

  private void write(long offset, Region region, long regionOffset, int length, boolean synced)
      throws IOException {
    requireWritable();
    if (engine.takesTime()) {
      IoRequest request = new IoRequest().prepareWrite(this, offset, region, regionOffset, length);
      await(synced ? request.synced() : request);
      return;
    }
    checkTransfer(offset, region, regionOffset, length);
    engine.writing(this);
    RegionLeases.take(region, regionOffset, length);
    try (SimEngine.Held _ = engine.enter(this)) {
      MemorySegment memory = region.segment().asSlice(regionOffset, length);
      engine.device().write(this, offset, memory, length);
      if (synced) {
        engine.device().syncRange(this, offset, length);
      }
    } finally {
      RegionLeases.giveBack(region, regionOffset, length);
    }
  }

  @Override
  public void sync() throws IOException {
    requireWritable();
    if (engine.takesTime()) {
      await(new IoRequest().prepareSync(this));
    } else {
      try (SimEngine.Held _ = engine.enter(this)) {
        engine.device().sync(this, node.mark());
      }
    }
  }

  private int await(IoRequest request) throws IOException {
    engine.submit(request);
    return request.await();
  }

  @Override
  public void close() {
    engine.close(this);
  }

  private void requireWritable() {
    if (!writable) {
      throw new IllegalStateException("the file was opened for reading: path=" + path);
    }
  }

  @Override
  public String toString() {
    return "path=%s simulated".formatted(path);
  }
}
