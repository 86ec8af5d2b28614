package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The files of a log, addressed by position in the stream: segment number {@code lsn /
 * segmentBytes} lies in file {@code number mod count}. Owns the files. Reads and writes stay inside
 * one segment. Threads: one at a time writes and syncs; any read.
 */
final class SegmentRing implements AutoCloseable {
  private final Path directory;
  private final KeySource keys;
  private final long segmentBytes;
  private final IoFile[] files;
  private final boolean[] unsynced;

  private SegmentRing(Path directory, LogHeader header, KeySource keys) {
    this.keys = keys;
    this.directory = directory;
    this.segmentBytes = header.segmentBytes();
    this.files = new IoFile[header.segmentCount()];
    this.unsynced = new boolean[header.segmentCount()];
  }

  /**
   * Makes the files of a new log: filled with zeros and synced, because a write into blocks that
   * were only reserved costs the file system a journal commit. Leaves none behind when it fails.
   *
   * @param zeros a region of zeros
   */
  static SegmentRing create(IoEngine engine, Path directory, LogHeader header, Region zeros)
      throws IOException {
    SegmentRing ring = new SegmentRing(directory, header, engine.keys());
    try {
      for (int slot = 0; slot < ring.files.length; slot++) {
        Path path = ring.slotPath(slot);
        if (engine.exists(path)) {
          engine.delete(path); // of a creation that did not finish
        }
        ring.files[slot] = engine.open(path, OpenMode.CREATE_NEW);
        ring.files[slot].setWorkClass(WorkClass.LOG);
        ring.fill(ring.files[slot], zeros);
      }
      engine.syncDirectory(directory);
      return ring;
    } catch (Throwable e) {
      ring.abandon(engine, e);
      throw e;
    }
  }

  /** Opens the files of a log that exists. */
  static SegmentRing open(IoEngine engine, Path directory, LogHeader header) throws IOException {
    return open(engine, directory, header, OpenMode.READ_WRITE);
  }

  /** The same to read them only. */
  static SegmentRing openReadOnly(IoEngine engine, Path directory, LogHeader header)
      throws IOException {
    return open(engine, directory, header, OpenMode.READ_ONLY);
  }

  private static SegmentRing open(IoEngine engine, Path directory, LogHeader header, OpenMode mode)
      throws IOException {
    SegmentRing ring = new SegmentRing(directory, header, engine.keys());
    try {
      for (int slot = 0; slot < ring.files.length; slot++) {
        Path path = ring.slotPath(slot);
        if (!engine.exists(path)) {
          throw new CorruptFileException(path, 0, "a log segment", "no file");
        }
        ring.files[slot] = engine.open(path, mode);
        ring.files[slot].setWorkClass(WorkClass.LOG);
        if (ring.files[slot].sizeBytes() != ring.segmentBytes) {
          throw new CorruptFileException(
              path, 0, ring.segmentBytes + " bytes", ring.files[slot].sizeBytes() + " bytes");
        }
        ring.checkAlignment(ring.files[slot]);
        ring.unsynced[slot] = true; // a process that was killed may have left writes unsynced
      }
      return ring;
    } catch (Throwable e) {
      closeAfter(ring, e);
      throw e;
    }
  }

  static Path slotPath(Path directory, int slot) {
    return directory.resolve(String.format(Locale.ROOT, "segment-%05d.log", slot));
  }

  /** The keys of what is sealed in it. */
  KeySource keys() {
    return keys;
  }

  int count() {
    return files.length;
  }

  long segmentBytes() {
    return segmentBytes;
  }

  /** The bytes the ring holds. */
  long capacityBytes() {
    return segmentBytes * files.length;
  }

  /** Where the segment that contains the position starts. */
  long segmentStart(long lsn) {
    return lsn - lsn % segmentBytes;
  }

  /** Where the next segment starts. */
  long segmentEnd(long lsn) {
    return segmentStart(lsn) + segmentBytes;
  }

  /** The file in which a position lies, for messages. */
  Path path(long lsn) {
    return slotPath(slot(lsn));
  }

  long offset(long lsn) {
    return lsn % segmentBytes;
  }

  /**
   * Writes.
   *
   * @param synced whether it is durable on return
   */
  void write(long lsn, Region region, long regionOffset, int length, boolean synced)
      throws IOException {
    IoFile file = files[slot(lsn)];
    if (synced) {
      file.writeSynced(offset(lsn), region, regionOffset, length);
    } else {
      unsynced[slot(lsn)] = true;
      file.write(offset(lsn), region, regionOffset, length);
    }
  }

  /** Whether everything written is durable. */
  boolean isSynced() {
    for (boolean dirty : unsynced) {
      if (dirty) {
        return false;
      }
    }
    return true;
  }

  void read(long lsn, Region region, long regionOffset, int length) throws IOException {
    files[slot(lsn)].readFully(offset(lsn), region, regionOffset, length);
  }

  /** Prepares a read inside one segment, which goes before no other work; any thread. */
  IoRequest prepareRead(IoRequest request, long lsn, Region region, long regionOffset, int length) {
    if (lsn < 0 || lsn + length > segmentEnd(lsn)) {
      throw new IllegalArgumentException(
          "a read lies in one segment: segmentBytes=%d length=%d lsn=%d"
              .formatted(segmentBytes, length, lsn));
    }
    return request
        .prepareRead(files[slot(lsn)], offset(lsn), region, regionOffset, length)
        .forWork(WorkClass.FOREGROUND);
  }

  int alignmentBytes() {
    int bytes = 0;
    for (IoFile file : files) {
      bytes = Math.max(bytes, file.alignmentBytes());
    }
    return bytes;
  }

  /**
   * Makes everything written durable; the first time, everything that is there.
   *
   * @return how many files had to be synced
   */
  int sync() throws IOException {
    int syncs = 0;
    for (int slot = 0; slot < files.length; slot++) {
      if (unsynced[slot]) {
        files[slot].sync();
        unsynced[slot] = false;
        syncs++;
      }
    }
    return syncs;
  }

  /**
   * The block that starts at a position, or null if there is none that makes sense there.
   *
   * @param bytes what a block's header may be in
   */
  BlockHeader blockIn(MemorySegment bytes, long lsn) throws UnsupportedFormatException {
    if (!LogFormat.isHeader(bytes)) {
      return null;
    }
    BlockHeader block = LogFormat.readHeader(bytes);
    if (block.lsn() != lsn) {
      return null; // of an earlier lap
    }
    int version = LogFormat.version(bytes);
    if (version != LogFormat.VERSION && version != LogFormat.VERSION_SEALED) {
      throw new UnsupportedFormatException(path(lsn), version, LogFormat.VERSION_SEALED);
    }
    if (version == LogFormat.VERSION ? block.keyId() != 0 : block.keyId() <= 0) {
      return null;
    }
    long left = segmentEnd(lsn) - lsn;
    boolean extentFits =
        block.payloadBytes() >= 0
            && block.extentBytes() <= left
            && (block.extentBytes() == LogFormat.blockExtent(block.payloadBytes())
                || (block.payloadBytes() == 0 && block.extentBytes() == left));
    return extentFits ? block : null;
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (IoFile file : files) {
      try {
        if (file != null) {
          file.close();
        }
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Closes on the way out of a failure, which keeps its place as the first cause. */
  static void closeAfter(AutoCloseable resource, Throwable failure) {
    try {
      resource.close();
    } catch (Exception e) {
      failure.addSuppressed(e);
    }
  }

  private void fill(IoFile file, Region zeros) throws IOException {
    checkAlignment(file);
    file.preallocate(0, segmentBytes);
    for (long offset = 0; offset < segmentBytes; ) {
      int length = (int) Math.min(zeros.sizeBytes(), segmentBytes - offset);
      file.write(offset, zeros, 0, length);
      offset += length;
    }
    file.sync();
  }

  private void checkAlignment(IoFile file) throws StorageException {
    if (file.alignmentBytes() > LogFormat.BLOCK_ALIGNMENT) {
      throw new StorageException(
          "a log block is aligned to 4096 bytes, the device wants more: alignmentBytes="
              + file.alignmentBytes(),
          file.path());
    }
  }

  /** Closes and deletes files that were just created, because something failed. */
  void abandon(IoEngine engine, Throwable failure) {
    closeAfter(this, failure);
    for (int slot = 0; slot < files.length; slot++) {
      if (files[slot] != null) {
        Path path = slotPath(slot);
        closeAfter(() -> engine.delete(path), failure);
      }
    }
  }

  private Path slotPath(int slot) {
    return slotPath(directory, slot);
  }

  private int slot(long lsn) {
    return (int) (lsn / segmentBytes % files.length);
  }
}
