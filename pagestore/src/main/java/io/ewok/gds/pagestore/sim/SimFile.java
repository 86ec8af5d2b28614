package io.ewok.gds.pagestore.sim;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/** An open file of the simulation; the engine does the work under its lock. */
final class SimFile implements IoFile {
  private final SimEngine engine;
  private final Path path;
  private final SimNode node;
  private final boolean writable;

  private volatile WorkClass workClass = WorkClass.FOREGROUND;

  /** Guarded by the engine's lock. */
  boolean closed;

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
    return engine.sizeBytes(this);
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
    engine.preallocate(this, offset, length);
  }

  @Override
  public void punchHole(long offset, long length) throws IOException {
    requireWritable();
    checkHole(offset, length);
    engine.punchHole(this, offset, length);
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    requireWritable();
    if (sizeBytes < 0) {
      throw new IllegalArgumentException("a size is not negative: sizeBytes=" + sizeBytes);
    }
    engine.truncate(this, sizeBytes);
  }

  @Override
  public int read(long offset, Region region, long regionOffset, int length) throws IOException {
    checkTransfer(offset, region, regionOffset, length);
    RegionLeases.take(region, regionOffset, length);
    try {
      return engine.read(this, offset, region.segment().asSlice(regionOffset, length), length);
    } finally {
      RegionLeases.giveBack(region, regionOffset, length);
    }
  }

  @Override
  public void write(long offset, Region region, long regionOffset, int length) throws IOException {
    requireWritable();
    checkTransfer(offset, region, regionOffset, length);
    RegionLeases.take(region, regionOffset, length);
    try {
      engine.write(this, offset, region.segment().asSlice(regionOffset, length), length);
    } finally {
      RegionLeases.giveBack(region, regionOffset, length);
    }
  }

  @Override
  public void sync() throws IOException {
    requireWritable();
    engine.sync(this);
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
