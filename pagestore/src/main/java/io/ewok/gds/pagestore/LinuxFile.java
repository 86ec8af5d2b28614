package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.ffm.unchecked.Pieces;
import io.ewok.gds.reactor.Gate;
import io.ewok.gds.reactor.ScatteredMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file of the operating system, for the engines that have such.
 *
 * <p>A thread that may wait performs its blocking calls itself: handing over to another thread and
 * back costs more than the transfer saves. A virtual thread, and one that turns an event loop, hand
 * over to the engine.
 */
final class LinuxFile implements IoFile {
  private final LinuxEngine engine;
  private final Path path;
  private final boolean writable;
  private final OpenedFile opened;
  private final SyncChoice syncChoice;
  private final Gate gate = new Gate();

  /** Whether requests wait for the device by asking it. The engine's. */
  volatile boolean polled;

  private volatile WorkClass workClass = WorkClass.FOREGROUND;

  /** Held by threads that may wait. */
  private final Object growing = new Object();

  private volatile boolean reservesSpace = true;

  /** The failure of a sync; set once, then writes and syncs are refused. */
  private volatile IOException failedSync;

  private LinuxFile(LinuxEngine engine, Path path, boolean writable, OpenedFile opened) {
    this.engine = engine;
    this.path = path;
    this.writable = writable;
    this.opened = opened;
    this.syncChoice = engine.syncChoice(opened.deviceNumber());
  }

  /** Opens on the calling platform thread. */
  static LinuxFile open(LinuxEngine engine, Path path, OpenMode mode) throws StorageException {
    return new LinuxFile(engine, path, mode.canWrite(), OpenedFile.open(path, mode));
  }

  LinuxEngine engine() {
    return engine;
  }

  int descriptor() {
    return opened.descriptor();
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public int alignmentBytes() {
    return opened.alignmentBytes();
  }

  @Override
  public boolean isDirect() {
    return opened.direct();
  }

  @Override
  public boolean canWrite() {
    return writable;
  }

  @Override
  public AtomicWrites atomicWrites() {
    return opened.atomicWrites();
  }

  @Override
  public boolean isBlockDevice() {
    return opened.isDevice();
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
  public long sizeBytes() throws IOException {
    enter();
    try {
      return isBlockDevice()
          ? opened.deviceBytes()
          : engine.blockingCalls().call(() -> LinuxFiles.statx(opened.descriptor()).sizeBytes());
    } catch (ErrnoException e) {
      throw StorageException.ofErrno("tell the size", path, e);
    } finally {
      exit();
    }
  }

  @Override
  public void preallocate(long offset, long length) throws IOException {
    if (offset < 0 || length < 0 || offset + length < 0) {
      throw new IllegalArgumentException(
          "a range is not negative: offset=%d length=%d".formatted(offset, length));
    }
    if (isBlockDevice()) {
      requireWritable();
      if (offset + length > opened.deviceBytes()) {
        throw new OutOfSpaceException(
            "the device ends before: sizeBytes=%d offset=%d length=%d"
                .formatted(opened.deviceBytes(), offset, length),
            path,
            null);
      }
    } else if (length > 0) {
      change("preallocate", () -> reserve(offset, length));
    }
  }

  private void reserve(long offset, long length) throws ErrnoException {
    try {
      LinuxFiles.fallocate(opened.descriptor(), 0, offset, length);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EOPNOTSUPP) {
        throw e;
      }
      reservesSpace = false;
      // Of two at once the shorter must not cut what the longer has made.
      synchronized (growing) {
        if (LinuxFiles.statx(opened.descriptor()).sizeBytes() < offset + length) {
          LinuxFiles.ftruncate(opened.descriptor(), offset + length);
        }
      }
    }
  }

  @Override
  public void punchHole(long offset, long length) throws IOException {
    checkHole(offset, length);
    int mode = LinuxFiles.FALLOC_FL_PUNCH_HOLE | LinuxFiles.FALLOC_FL_KEEP_SIZE;
    if (length > 0) {
      change("punch a hole", () -> LinuxFiles.fallocate(opened.descriptor(), mode, offset, length));
    }
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    if (isBlockDevice()) {
      throw new IllegalStateException("a block device keeps its size: path=" + path);
    }
    if (sizeBytes < 0) {
      throw new IllegalArgumentException("a size is not negative: sizeBytes=" + sizeBytes);
    }
    change("truncate", () -> LinuxFiles.ftruncate(opened.descriptor(), sizeBytes));
  }

  private void change(String operation, BlockingCalls.Action action) throws IOException {
    requireWritable();
    enter();
    try {
      requireNotPoisoned();
      engine.blockingCalls().run(action);
    } catch (ErrnoException e) {
      throw StorageException.ofErrno(operation, path, e);
    } finally {
      exit();
    }
  }

  @Override
  public int read(long offset, Region region, long regionOffset, int length) throws IOException {
    if (handsOver(false)) {
      IoRequest request = engine.requests().take();
      return submitAndWait(request.prepareRead(this, offset, region, regionOffset, length));
    }
    checkTransfer(offset, region, regionOffset, length);
    return performInline(IoRequest.Kind.READ, offset, region, regionOffset, length, false);
  }

  @Override
  public void write(long offset, Region region, long regionOffset, int length) throws IOException {
    requireWritable();
    if (handsOver(true)) {
      IoRequest request = engine.requests().take();
      submitAndWait(request.prepareWrite(this, offset, region, regionOffset, length));
      return;
    }
    checkTransfer(offset, region, regionOffset, length);
    performInline(IoRequest.Kind.WRITE, offset, region, regionOffset, length, false);
  }

  @Override
  public void writeSynced(long offset, Region region, long regionOffset, int length)
      throws IOException {
    requireWritable();
    if (handsOver(true)) {
      IoRequest request = engine.requests().take();
      submitAndWait(request.prepareWrite(this, offset, region, regionOffset, length).synced());
      return;
    }
    checkTransfer(offset, region, regionOffset, length);
    performInline(IoRequest.Kind.WRITE, offset, region, regionOffset, length, true);
  }

  @Override
  public void sync() throws IOException {
    requireWritable();
    if (!LinuxThreads.mayBlock()) {
      submitAndWait(engine.requests().take().prepareSync(this));
      return;
    }
    performInline(IoRequest.Kind.SYNC, 0, null, 0, 0, false);
  }

  /** A thread that may block transfers itself, unless its kind of work is limited. */
  private boolean handsOver(boolean write) {
    return !LinuxThreads.mayBlock() || engine.limits(workClass, write);
  }

  private int submitAndWait(IoRequest request) throws IOException {
    engine.submit(request);
    try {
      return request.await();
    } finally {
      if (request.isDone()) { // not if too many waits on a loop are inside of each other
        engine.requests().giveBack(request);
      }
    }
  }

  /** Performs a claimed request with blocking calls on this platform thread. */
  int perform(IoRequest request) throws StorageException {
    IoRequest.Kind kind = request.kind();
    if (kind == IoRequest.Kind.SYNC) {
      return performSync();
    }
    long offset = request.offset();
    Region region = request.region();
    long regionOffset = request.regionOffset();
    int length = request.length();
    int writeFlags = request.isAtomic() ? LinuxFiles.RWF_ATOMIC : 0;
    ScatteredMemory scattered = request.scattered();
    return request.isSynced()
        ? performSyncedWrite(offset, region, regionOffset, scattered, length, writeFlags)
        : performTransfer(kind, offset, region, regionOffset, scattered, length, writeFlags);
  }

  private int performInline(
      IoRequest.Kind kind,
      long offset,
      Region region,
      long regionOffset,
      int length,
      boolean synced)
      throws IOException {
    SlowIoEvent slow = SlowIoEvent.beginOrNull();
    boolean failed = true;
    enter();
    try {
      engine.counters().countInline();
      if (kind != IoRequest.Kind.READ) {
        requireNotPoisoned();
      }
      int done =
          region == null
              ? performSync()
              : performLeased(kind, offset, region, regionOffset, length, synced);
      failed = false;
      return done;
    } finally {
      exit();
      if (slow != null) {
        slow.end(path, kind, workClass, offset, length, failed);
      }
    }
  }

  private int performLeased(
      IoRequest.Kind kind,
      long offset,
      Region region,
      long regionOffset,
      int length,
      boolean synced)
      throws StorageException {
    RegionLeases.take(region, regionOffset, length);
    try {
      return synced
          ? performSyncedWrite(offset, region, regionOffset, null, length, 0)
          : performTransfer(kind, offset, region, regionOffset, null, length, 0);
    } finally {
      RegionLeases.giveBack(region, regionOffset, length);
    }
  }

  /**
   * Reads or writes with blocking calls on this platform thread. The caller holds the gate and the
   * region's leases.
   *
   * @param scattered the memory, if it is in several pieces; else null
   */
  int performTransfer(
      IoRequest.Kind kind,
      long offset,
      Region region,
      long regionOffset,
      ScatteredMemory scattered,
      int length,
      int writeFlags)
      throws StorageException {
    int done = 0;
    if (length > 0) {
      int result = call(kind, offset, region, regionOffset, scattered, 0, length, writeFlags);
      done =
          result == length
              ? length
              : goOn(kind, offset, region, regionOffset, scattered, length, writeFlags, result);
    }
    engine.counters().countTransfer(kind, done, region, regionOffset);
    return done;
  }

  /** Completes what the first call has not: seldom, so that the rest needs no object. */
  private int goOn(
      IoRequest.Kind kind,
      long offset,
      Region region,
      long regionOffset,
      ScatteredMemory scattered,
      int length,
      int writeFlags,
      int firstResult)
      throws StorageException {
    TransferProgress progress = new TransferProgress();
    progress.start(kind == IoRequest.Kind.WRITE, length, opened.alignmentBytes());
    boolean more = progress.advance(firstResult);
    while (more) {
      int done = progress.done();
      more =
          progress.advance(
              call(kind, offset, region, regionOffset, scattered, done, length, writeFlags));
    }
    if (progress.errno() != 0) {
      throw failedTransfer(kind, offset, progress.errno(), isWriteThrough(writeFlags));
    }
    return progress.done();
  }

  private static boolean isWriteThrough(int writeFlags) {
    return (writeFlags & LinuxFiles.RWF_DSYNC) != 0;
  }

  /**
   * Transfers what follows the bytes that are done, with one call. Such calls are not cut short:
   * the kernel itself gives the device several parts at once.
   *
   * @return bytes, or -errno
   */
  private int call(
      IoRequest.Kind kind,
      long offset,
      Region region,
      long regionOffset,
      ScatteredMemory scattered,
      int done,
      int length,
      int writeFlags) {
    boolean write = kind == IoRequest.Kind.WRITE;
    engine.counters().countNativeCall();
    try {
      return (int)
          (scattered != null
              ? call(write, scattered, done, offset + done, writeFlags)
              : call(
                  write,
                  region.segment(),
                  regionOffset + done,
                  length - done,
                  offset + done,
                  writeFlags));
    } catch (ErrnoException e) {
      return -e.errno();
    }
  }

  /* With the place beside the memory: a view of it would be an object for each transfer. */
  private long call(
      boolean write, MemorySegment memory, long memoryOffset, long length, long offset, int flags)
      throws ErrnoException {
    int descriptor = opened.descriptor();
    if (!write) {
      return LinuxFiles.pread(descriptor, memory, memoryOffset, length, offset);
    }
    return flags == 0
        ? LinuxFiles.pwrite(descriptor, memory, memoryOffset, length, offset)
        : LinuxFiles.pwrite(descriptor, memory, memoryOffset, length, offset, flags);
  }

  private long call(boolean write, ScatteredMemory memory, int done, long offset, int flags)
      throws ErrnoException {
    int descriptor = opened.descriptor();
    MemorySegment pieces = memory.entries(done, Integer.MAX_VALUE);
    return write
        ? Pieces.write(descriptor, pieces, offset, flags)
        : Pieces.read(descriptor, pieces, offset);
  }

  /**
   * Returns what to throw for a failed transfer. One that should have been durable may have lost
   * what was written before, as a failed sync; a full device tells before it writes.
   */
  StorageException failedTransfer(
      IoRequest.Kind kind, long offset, int errno, boolean writeThrough) {
    StorageException failure = StorageException.ofErrno(kind.verb(), path, offset, errno);
    if (writeThrough && !(failure instanceof OutOfSpaceException) && errno != Errno.EOPNOTSUPP) {
      poison(failure);
    }
    return failure;
  }

  /**
   * Returns how the next synced write is to become durable. Only past the page cache does a write
   * tell of its own failures alone.
   */
  SyncMethod syncMethod() {
    return opened.direct() ? syncChoice.next() : SyncMethod.FDATASYNC;
  }

  SyncChoice syncChoice() {
    return syncChoice;
  }

  /** As {@link #performTransfer}, and durable. */
  int performSyncedWrite(
      long offset,
      Region region,
      long regionOffset,
      ScatteredMemory scattered,
      int length,
      int writeFlags)
      throws StorageException {
    if (length == 0) {
      return 0;
    }
    long start = System.nanoTime();
    SyncMethod method = syncMethod();
    IoRequest.Kind kind = IoRequest.Kind.WRITE;
    if (method == SyncMethod.DSYNC) {
      try {
        int flags = writeFlags | LinuxFiles.RWF_DSYNC;
        performTransfer(kind, offset, region, regionOffset, scattered, length, flags);
        engine.counters().countCompleted(IoRequest.Kind.SYNC, 0);
      } catch (StorageException e) {
        if (isPoisoned() || e instanceof OutOfSpaceException) {
          throw e;
        }
        syncChoice.dsyncRefused();
        method = SyncMethod.FDATASYNC;
      }
    }
    if (method == SyncMethod.FDATASYNC) {
      performTransfer(kind, offset, region, regionOffset, scattered, length, writeFlags);
      performSync();
    }
    syncChoice.took(method, System.nanoTime() - start);
    return length;
  }

  /** Syncs with a blocking call on this platform thread. The caller holds the gate. */
  int performSync() throws StorageException {
    engine.counters().countNativeCall();
    try {
      LinuxFiles.fdatasync(opened.descriptor());
    } catch (ErrnoException e) {
      StorageException failure = StorageException.ofErrno("sync", path, e);
      poison(failure);
      throw failure;
    }
    engine.counters().countCompleted(IoRequest.Kind.SYNC, 0);
    return 0;
  }

  /** Refuses writes and syncs from now on. The first failure is kept. */
  synchronized void poison(IOException failure) {
    if (failedSync == null) {
      failedSync = failure;
    }
  }

  boolean isPoisoned() {
    return failedSync != null;
  }

  void requireNotPoisoned() throws PoisonedFileException {
    IOException failure = failedSync;
    if (failure != null) {
      throw new PoisonedFileException(path, failure);
    }
  }

  private void requireWritable() {
    if (!writable) {
      throw new IllegalStateException("the file was opened for reading: path=" + path);
    }
  }

  /** An operation begins; it keeps the descriptor open until {@link #exit}. */
  void enter() {
    if (!gate.tryEnter()) {
      throw new IllegalStateException("the file is closed: path=" + path);
    }
  }

  void exit() {
    gate.exit();
  }

  @Override
  public void close() throws IOException {
    if (gate.close()) {
      engine.forget(this);
      try {
        engine.blockingCalls().run(() -> LinuxFiles.close(opened.descriptor()));
      } catch (ErrnoException e) {
        throw StorageException.ofErrno("close", path, e);
      }
    }
  }

  @Override
  public String toString() {
    return "path=%s direct=%b fileSystem=%s alignmentBytes=%d reservesSpace=%b"
        .formatted(
            path, opened.direct(), opened.fileSystem(), opened.alignmentBytes(), reservesSpace);
  }
}
