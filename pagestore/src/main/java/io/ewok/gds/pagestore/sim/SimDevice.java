package io.ewok.gds.pagestore.sim;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.TransferProgress;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What can be done with the content of files, and how that fails. Transfers go in parts, as a
 * kernel may do them, and are completed as the other engines complete them. Guarded by the engine's
 * lock.
 */
final class SimDevice {
  private final SimOptions options;
  private final SimNames names;
  private final SimFaults faults;

  /** For errors that were chosen; faults at rates have their own chance. */
  private final SplittableRandom random;

  private final TransferProgress progress = new TransferProgress();
  private long capacityBytes = Long.MAX_VALUE;
  private long reads;
  private long writes;
  private long syncs;
  private long bytesRead;
  private long bytesWritten;

  SimDevice(SimOptions options, SimNames names, SimFaults faults, SplittableRandom random) {
    this.options = options;
    this.names = names;
    this.faults = faults;
    this.random = random;
  }

  IoStats stats() {
    return new IoStats(reads, writes, syncs, bytesRead, bytesWritten, 0, reads + writes + syncs);
  }

  /** A directory was synced. */
  void countSync() {
    syncs++;
  }

  // ---------------------------------------------------------------- space

  long capacityBytes() {
    return capacityBytes;
  }

  void setCapacityBytes(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  long usedBytes() {
    long used = 0;
    for (SimNode node : new HashSet<>(names.files())) { // one file may have several names
      used += node.sizeBytes();
    }
    return used;
  }

  private void requireSpace(SimFile file, SimOperation operation, long sizeBytes)
      throws StorageException {
    long growth = sizeBytes - file.node().sizeBytes();
    if (growth > 0 && growth > capacityBytes - usedBytes()) {
      throw StorageException.ofErrno(operation.verb(), file.path(), -1, Errno.ENOSPC);
    }
  }

  private static void requireNotPoisoned(SimFile file) throws PoisonedFileException {
    if (file.failedSync != null) {
      throw new PoisonedFileException(file.path(), file.failedSync);
    }
  }

  void preallocate(SimFile file, long offset, long length) throws StorageException {
    requireNotPoisoned(file);
    faults.check(SimOperation.PREALLOCATE, file.path(), offset);
    requireSpace(file, SimOperation.PREALLOCATE, offset + length);
    if (offset + length > file.node().sizeBytes()) {
      file.node().resize(offset + length);
    }
  }

  void truncate(SimFile file, long sizeBytes) throws StorageException {
    requireNotPoisoned(file);
    faults.check(SimOperation.TRUNCATE, file.path(), -1);
    requireSpace(file, SimOperation.TRUNCATE, sizeBytes);
    file.node().resize(sizeBytes);
  }

  void punchHole(SimFile file, long offset, long length) throws StorageException {
    requireNotPoisoned(file);
    file.node().clear(offset, length);
  }

  // ---------------------------------------------------------------- transfers

  int read(SimFile file, long offset, MemorySegment memory, int length) throws StorageException {
    SimNode node = file.node();
    faults.check(SimOperation.READ, file.path(), offset);
    int available = (int) Math.max(0, Math.min(length, node.sizeBytes() - offset));
    if (available > 0 && faults.fires(SimFault.BAD_SECTOR)) {
      node.markBad(offset + faults.chance(SimFault.BAD_SECTOR).nextInt(available));
    }
    if (node.isBad(offset, length)) {
      throw StorageException.ofErrno("read", file.path(), offset, Errno.EIO);
    }
    progress.start(false, length, options.alignmentBytes());
    boolean more = length > 0;
    while (more) {
      int done = progress.done();
      more = progress.advance(readPart(node, offset + done, memory.asSlice(done)));
    }
    requireNoError(file, SimOperation.READ, offset);
    reads++;
    bytesRead += progress.done();
    return progress.done();
  }

  /** Returns bytes, or -errno, as the kernel does. */
  private int readPart(SimNode node, long offset, MemorySegment memory) {
    int length = part((int) memory.byteSize());
    if (length <= 0) {
      return length;
    }
    if (faults.fires(SimFault.MISDIRECTED_READ)) {
      Place place = elsewhere(faults.chance(SimFault.MISDIRECTED_READ), node, offset, length);
      int count = (int) Math.max(0, Math.min(length, node.sizeBytes() - offset));
      return place == null ? count : place.node.read(place.offset, memory, 0, count);
    }
    return node.read(offset, memory, 0, length);
  }

  void write(SimFile file, long offset, MemorySegment memory, int length) throws StorageException {
    requireNotPoisoned(file);
    faults.beforeWrite();
    if (length > 0) {
      requireSpace(file, SimOperation.WRITE, offset + length);
    }
    int errno = faults.next(SimOperation.WRITE, file.path(), offset);
    if (errno != 0) {
      throw failedWrite(file, offset, memory, length, errno, random);
    }
    if (faults.fires(SimFault.WRITE_ERROR)) {
      SplittableRandom chance = faults.chance(SimFault.WRITE_ERROR);
      throw failedWrite(file, offset, memory, length, Errno.EIO, chance);
    }
    if (faults.fires(SimFault.NO_SPACE)) {
      SplittableRandom chance = faults.chance(SimFault.NO_SPACE);
      throw failedWrite(file, offset, memory, length, Errno.ENOSPC, chance);
    }
    progress.start(true, length, options.alignmentBytes());
    boolean more = length > 0;
    while (more) {
      int done = progress.done();
      more = progress.advance(writePart(file.node(), offset + done, memory.asSlice(done)));
    }
    requireNoError(file, SimOperation.WRITE, offset);
    writes++;
    bytesWritten += length;
  }

  /** Leaves some of the first sectors behind. */
  private static StorageException failedWrite(
      SimFile file,
      long offset,
      MemorySegment memory,
      int length,
      int errno,
      SplittableRandom chance) {
    int written = chance.nextInt(length / SimNode.SECTOR_BYTES + 1) * SimNode.SECTOR_BYTES;
    if (written < length && file.node().isWrittenAtomically(offset, length)) {
      written = 0;
    }
    file.node().write(offset, memory, 0, written);
    return StorageException.ofErrno("write", file.path(), offset, errno);
  }

  /** Returns bytes, or -errno, as the kernel does. */
  private int writePart(SimNode node, long offset, MemorySegment memory) {
    int length = part((int) memory.byteSize());
    if (length <= 0) {
      return length;
    }
    if (faults.fires(SimFault.MISDIRECTED_WRITE)) {
      if (offset + length > node.sizeBytes()) {
        node.resize(offset + length);
      }
      Place place = elsewhere(faults.chance(SimFault.MISDIRECTED_WRITE), node, offset, length);
      if (place != null) {
        place.node.write(place.offset, memory, 0, length);
      }
    } else {
      node.write(offset, memory, 0, length);
    }
    return length;
  }

  /** Returns how much of a transfer goes through in one part, or -errno. */
  private int part(int length) {
    if (faults.fires(SimFault.INTERRUPTED)) {
      return -Errno.EINTR;
    }
    if (faults.fires(SimFault.AGAIN)) {
      return -Errno.EAGAIN;
    }
    int units = length / options.alignmentBytes();
    if (units > 1 && faults.fires(SimFault.SHORT_TRANSFER)) {
      return faults.chance(SimFault.SHORT_TRANSFER).nextInt(1, units) * options.alignmentBytes();
    }
    return length;
  }

  private void requireNoError(SimFile file, SimOperation operation, long offset)
      throws StorageException {
    if (progress.errno() != 0) {
      throw StorageException.ofErrno(operation.verb(), file.path(), offset, progress.errno());
    }
  }

  /** A place of a transfer. */
  private record Place(SimNode node, long offset) {}

  /** Returns where a misdirected transfer goes, or null for nowhere. */
  private Place elsewhere(SplittableRandom chance, SimNode node, long offset, int length) {
    List<SimNode> fitting =
        names.files().stream().filter(other -> other.sizeBytes() >= length).toList();
    if (fitting.isEmpty()) {
      return null;
    }
    SimNode other = fitting.get(chance.nextInt(fitting.size()));
    long units = (other.sizeBytes() - length) / options.alignmentBytes() + 1;
    long otherOffset = chance.nextLong(units) * options.alignmentBytes();
    return other == node && otherOffset == offset ? null : new Place(other, otherOffset);
  }

  // ---------------------------------------------------------------- syncs

  /**
   * Syncs.
   *
   * @param mark of the node, when the sync began
   */
  void sync(SimFile file, long mark) throws StorageException {
    if (beginSync(file)) {
      file.node().sync(mark);
    }
    syncs++;
  }

  /** Syncs what a write has just written, and nothing else. */
  void syncRange(SimFile file, long offset, int length) throws StorageException {
    if (beginSync(file)) {
      file.node().syncRange(offset, length);
    }
    syncs++;
  }

  /** Returns whether it is to do what it will say it has done. */
  private boolean beginSync(SimFile file) throws StorageException {
    requireNotPoisoned(file);
    faults.beforeSync();
    int errno = faults.next(SimOperation.SYNC, file.path(), -1);
    if (errno != 0) {
      throw failedSync(file, errno, random);
    }
    if (faults.fires(SimFault.FAILED_SYNC)) {
      throw failedSync(file, Errno.EIO, faults.chance(SimFault.FAILED_SYNC));
    }
    return !faults.fires(SimFault.LYING_SYNC);
  }

  private StorageException failedSync(SimFile file, int errno, SplittableRandom chance) {
    switch (options.syncFailure()) {
      case MARKED_CLEAN -> file.node().markClean(chance);
      case ROLLED_BACK -> file.node().rollBack();
    }
    StorageException failure = StorageException.ofErrno("sync", file.path(), -1, errno);
    file.failedSync = failure;
    return failure;
  }
}
