package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import java.io.IOException;

/** What files of immutable blocks have in common: nothing is ever written to them. */
abstract sealed class BlockFile extends CachedFile permits CachedBlockFile, LoadedBlockFile {
  private final int alignmentBytes;

  BlockFile(BufferManager manager, IoFile io, int number) {
    super(manager, io, number);
    this.alignmentBytes = io.alignmentBytes();
  }

  /** What is read starts and ends at multiples of this: a power of two, at least 512. */
  public final int alignmentBytes() {
    return alignmentBytes;
  }

  /** The size of the file in bytes. */
  public final long sizeBytes() throws IOException {
    return io.sizeBytes();
  }

  /** Verifies a block that was read, or makes it of what was. */
  abstract void make(Frame frame) throws IOException;

  @Override
  final void read(Frame frame) throws IOException {
    Frame into = into(frame);
    verify(frame, io.read(start(frame.key), into.region, into.regionOffset, storedBytes(frame)));
  }

  @Override
  final IoRequest prepareRead(Frame frame) {
    Frame into = into(frame);
    return new IoRequest()
        .prepareRead(io, start(frame.key), into.region, into.regionOffset, storedBytes(frame));
  }

  /** Where a read starts whose first wanted byte is at an offset. */
  final long start(long offset) {
    return offset & -alignmentBytes;
  }

  @Override
  final void verify(Frame frame, int bytes) throws IOException {
    int storedBytes = storedBytes(frame);
    if (bytes < storedBytes) {
      throw new CorruptFileException(
          path(), frame.key, "a block of " + storedBytes + " bytes", bytes + " bytes");
    }
    make(frame);
  }

  private static Frame into(Frame frame) {
    return frame.load.staging == null ? frame : frame.load.staging;
  }

  private static int storedBytes(Frame frame) {
    return frame.load.staging == null ? frame.lengthBytes : frame.load.storedBytes;
  }

  @Override
  final void write(Frame frame) {
    throw new AssertionError("a block is never changed");
  }

  @Override
  final int offsetInFrame(long key) {
    return 0;
  }

  @Override
  final void flushAll() {}

  @Override
  final void end() {}
}
