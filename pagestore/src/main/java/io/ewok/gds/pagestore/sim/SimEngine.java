package io.ewok.gds.pagestore.sim;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.EngineChoice;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.LockedException;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file system in memory that forgets, as a machine does that loses power. For tests of whatever
 * stands on {@link IoEngine}.
 *
 * <p>What was written is visible at once, and durable after a sync; new, renamed and deleted names
 * are durable after a sync of their directory. {@link #crash} returns a new engine with one of the
 * states that a power cut could leave: of each sector written since the last sync any content it
 * had, of each name change whether it happened.
 *
 * <p>Operations complete inline, submitted ones too, and all chance comes from the seeds: a test
 * with one thread repeats exactly.
 *
 * <p>Ownership: whoever creates it closes it; it holds heap memory only. Close is not a crash:
 * nothing is lost, and {@link #crash} still works.
 *
 * <p>Threads: any; one lock guards everything.
 *
 * <pre>{@code
 * SimEngine engine = new SimEngine(seed);
 * engine.onSync(() -> verify(engine.crash(seed + engine.syncCount())));
 * runWorkload(engine);
 * }</pre>
 *
 * <p>Errors: as {@link IoEngine}, plus those that {@link #failNth} asks for.
 */
public final class SimEngine implements IoEngine {
  private final ReentrantLock lock = new ReentrantLock();
  private final int alignmentBytes;

  /** What follows is guarded by {@link #lock}. */
  private final SplittableRandom random;

  private final SimNames names;
  private final SimFaults faults = new SimFaults();
  private final Set<Path> heldLocks = new HashSet<>();
  private final Set<Region> registered = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<SimFile> openFiles = new ArrayList<>();
  private long capacityBytes = Long.MAX_VALUE;
  private Runnable onSync = () -> {};
  private boolean closed;
  private long syncCount;
  private long reads;
  private long writes;
  private long syncs;
  private long bytesRead;
  private long bytesWritten;

  /** Creates an empty file system of 512-byte sectors with the root directory. */
  public SimEngine(long seed) {
    this(seed, SimNode.SECTOR_BYTES);
  }

  /**
   * Creates an empty file system.
   *
   * @param alignmentBytes what transfers must be aligned to, a power of two of at least 512; what
   *     survives a crash is decided per 512 bytes all the same
   */
  public SimEngine(long seed, int alignmentBytes) {
    this(seed, alignmentBytes, new SimNames());
    if (alignmentBytes < SimNode.SECTOR_BYTES || Integer.bitCount(alignmentBytes) != 1) {
      throw new IllegalArgumentException(
          "an alignment is a power of two of at least 512: alignmentBytes=" + alignmentBytes);
    }
  }

  private SimEngine(long seed, int alignmentBytes, SimNames names) {
    this.random = new SplittableRandom(seed);
    this.alignmentBytes = alignmentBytes;
    this.names = names;
  }

  // ---------------------------------------------------------------- what tests ask for

  /**
   * Returns a new engine with one possible state after a power cut at this moment, chosen by the
   * seed. This engine stays as it is, so that one run can be cut at many places. Locks, injected
   * errors and the hook are not inherited; the capacity is.
   */
  public SimEngine crash(long seed) {
    lock.lock();
    try {
      SplittableRandom chance = new SplittableRandom(seed);
      SimEngine after = new SimEngine(chance.nextLong(), alignmentBytes, names.crashed(chance));
      after.capacityBytes = capacityBytes;
      return after;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes one operation fail.
   *
   * @param n which one from now on, 1 for the next
   * @param errno positive error number, as in {@link Errno}
   */
  public void failNth(SimOperation operation, long n, int errno) {
    Objects.requireNonNull(operation, "operation");
    if (n < 1 || errno < 1) {
      throw new IllegalArgumentException(
          "the next operation is the first, errors are positive: n=%d errno=%d"
              .formatted(n, errno));
    }
    lock.lock();
    try {
      faults.add(operation, n, errno);
    } finally {
      lock.unlock();
    }
  }

  /** Limits the sum of the files' sizes in bytes; what needs more fails with ENOSPC. */
  public void setCapacityBytes(long capacityBytes) {
    if (capacityBytes < 0) {
      throw new IllegalArgumentException(
          "a capacity is not negative: capacityBytes=" + capacityBytes);
    }
    lock.lock();
    try {
      this.capacityBytes = capacityBytes;
    } finally {
      lock.unlock();
    }
  }

  /** Returns the sum of the files' sizes in bytes. */
  public long usedBytes() {
    lock.lock();
    try {
      long used = 0;
      for (SimNode node : names.files()) {
        used += node.sizeBytes();
      }
      return used;
    } finally {
      lock.unlock();
    }
  }

  /** Flips the lowest bit of a byte of a file, as a failing medium does. */
  public void flipBit(Path path, long offset) throws IOException {
    lock.lock();
    try {
      SimNode node = existing(path);
      Objects.checkIndex(offset, node.sizeBytes());
      node.flipBit(offset);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Calls a hook before each sync of a file or directory takes effect: everything since the last
   * one is still volatile. The hook may crash this engine; what it throws comes out of the sync.
   */
  public void onSync(Runnable hook) {
    lock.lock();
    try {
      onSync = Objects.requireNonNull(hook, "hook");
    } finally {
      lock.unlock();
    }
  }

  /** Returns the syncs of files and directories that began, failed ones included. */
  public long syncCount() {
    lock.lock();
    try {
      return syncCount;
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- names

  private static Path normal(Path path) {
    return path.toAbsolutePath().normalize();
  }

  /** Takes the lock; throws if closed, with the lock free. */
  private void enter() {
    lock.lock();
    if (closed) {
      lock.unlock();
      throw new IllegalStateException("the engine is closed: name=SIM");
    }
  }

  private SimNode existing(Path path) throws StorageException {
    SimNode node = names.file(normal(path));
    if (node == null) {
      throw names.isDirectory(normal(path))
          ? new StorageException("this is not a regular file", path)
          : new MissingFileException(path, null);
    }
    return node;
  }

  private void requireParent(Path path) throws StorageException {
    Path parent = normal(path).getParent();
    if (parent == null || !names.isDirectory(parent)) {
      throw new MissingFileException(path, null);
    }
  }

  @Override
  public IoFile open(Path path, OpenMode mode) throws IOException {
    enter();
    try {
      faults.check(SimOperation.OPEN, path, -1);
      SimNode node;
      if (mode == OpenMode.CREATE_NEW) {
        requireParent(path);
        if (names.file(normal(path)) != null || names.isDirectory(normal(path))) {
          throw StorageException.ofErrno("open", path, -1, Errno.EEXIST);
        }
        node = new SimNode();
        names.create(normal(path), node);
      } else {
        node = existing(path);
      }
      SimFile file = new SimFile(this, path, node, mode.canWrite());
      openFiles.add(file);
      return file;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    enter();
    try {
      Path path = normal(directory);
      for (int count = 1; count <= path.getNameCount(); count++) {
        Path next = path.getRoot().resolve(path.subpath(0, count));
        if (names.file(next) != null) {
          throw StorageException.ofErrno("create the directory", directory, -1, Errno.EEXIST);
        }
        names.createDirectory(next);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    enter();
    try {
      requireDirectory(directory);
      List<Path> entries = new ArrayList<>();
      for (Path entry : names.entries(normal(directory))) {
        entries.add(directory.resolve(entry.getFileName()));
      }
      Collections.sort(entries);
      return entries;
    } finally {
      lock.unlock();
    }
  }

  private void requireDirectory(Path directory) throws StorageException {
    if (names.file(normal(directory)) != null) {
      throw new StorageException("this is not a directory", directory);
    }
    if (!names.isDirectory(normal(directory))) {
      throw new MissingFileException(directory, null);
    }
  }

  @Override
  public boolean exists(Path path) {
    enter();
    try {
      return names.file(normal(path)) != null || names.isDirectory(normal(path));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    enter();
    try {
      existing(from);
      requireParent(to);
      if (names.isDirectory(normal(to))) {
        throw StorageException.ofErrno("rename the file", from, -1, Errno.EISDIR);
      }
      faults.check(SimOperation.RENAME, from, -1);
      if (!normal(from).equals(normal(to))) {
        names.rename(normal(from), normal(to));
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void delete(Path path) throws IOException {
    enter();
    try {
      Path name = normal(path);
      boolean directory = names.isDirectory(name);
      if (!directory) {
        existing(path);
      } else if (name.getParent() == null || !names.entries(name).isEmpty()) {
        throw new StorageException("cannot delete the file, the directory is not empty", path);
      }
      faults.check(SimOperation.DELETE, path, -1);
      if (directory) {
        names.deleteDirectory(name);
      } else {
        names.delete(name);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    enter();
    try {
      requireDirectory(directory);
      syncCount++;
      onSync.run();
      faults.check(SimOperation.SYNC_DIRECTORY, directory, -1);
      names.sync(normal(directory));
      syncs++;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public DirectoryLock lock(Path lockFile) throws IOException {
    enter();
    try {
      requireParent(lockFile);
      Path name = normal(lockFile);
      if (!heldLocks.add(name)) {
        throw new LockedException(lockFile, null);
      }
      if (names.file(name) == null) {
        names.create(name, new SimNode());
      }
      return new HeldLock(name);
    } finally {
      lock.unlock();
    }
  }

  /** A lock held until its first close. */
  private final class HeldLock implements DirectoryLock {
    private Path name;

    HeldLock(Path name) {
      this.name = name;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        if (name != null) {
          heldLocks.remove(name);
          name = null;
        }
      } finally {
        lock.unlock();
      }
    }
  }

  // ---------------------------------------------------------------- files

  int alignmentBytes() {
    return alignmentBytes;
  }

  private void enter(SimFile file) {
    enter();
    if (file.closed) {
      lock.unlock();
      throw new IllegalStateException("the file is closed: path=" + file.path());
    }
  }

  private static void requireNotPoisoned(SimFile file) throws PoisonedFileException {
    if (file.failedSync != null) {
      throw new PoisonedFileException(file.path(), file.failedSync);
    }
  }

  private void requireSpace(SimFile file, SimOperation operation, long sizeBytes)
      throws StorageException {
    long growth = sizeBytes - file.node().sizeBytes();
    if (growth > 0 && growth > capacityBytes - usedBytes()) {
      throw StorageException.ofErrno(operation.verb(), file.path(), -1, Errno.ENOSPC);
    }
  }

  long sizeBytes(SimFile file) {
    enter(file);
    try {
      return file.node().sizeBytes();
    } finally {
      lock.unlock();
    }
  }

  int read(SimFile file, long offset, Region region, long regionOffset, int length)
      throws StorageException {
    enter(file);
    try {
      faults.check(SimOperation.READ, file.path(), offset);
      int count = file.node().read(offset, region.segment(), regionOffset, length);
      reads++;
      bytesRead += count;
      return count;
    } finally {
      lock.unlock();
    }
  }

  void write(SimFile file, long offset, Region region, long regionOffset, int length)
      throws StorageException {
    enter(file);
    try {
      requireNotPoisoned(file);
      if (length > 0) {
        requireSpace(file, SimOperation.WRITE, offset + length);
      }
      int errno = faults.next(SimOperation.WRITE);
      int written =
          errno == 0
              ? length
              : random.nextInt(length / SimNode.SECTOR_BYTES + 1) * SimNode.SECTOR_BYTES;
      file.node().write(offset, region.segment(), regionOffset, written);
      if (errno != 0) {
        throw StorageException.ofErrno("write", file.path(), offset, errno);
      }
      writes++;
      bytesWritten += length;
    } finally {
      lock.unlock();
    }
  }

  void sync(SimFile file) throws StorageException {
    enter(file);
    try {
      requireNotPoisoned(file);
      syncCount++;
      onSync.run();
      int errno = faults.next(SimOperation.SYNC);
      if (errno != 0) {
        file.node().failSync(random);
        StorageException failure = StorageException.ofErrno("sync", file.path(), -1, errno);
        file.failedSync = failure;
        throw failure;
      }
      file.node().sync();
      syncs++;
    } finally {
      lock.unlock();
    }
  }

  void preallocate(SimFile file, long offset, long length) throws StorageException {
    enter(file);
    try {
      requireNotPoisoned(file);
      faults.check(SimOperation.PREALLOCATE, file.path(), offset);
      requireSpace(file, SimOperation.PREALLOCATE, offset + length);
      if (offset + length > file.node().sizeBytes()) {
        file.node().resize(offset + length);
      }
    } finally {
      lock.unlock();
    }
  }

  void punchHole(SimFile file, long offset, long length) throws StorageException {
    enter(file);
    try {
      requireNotPoisoned(file);
      file.node().clear(offset, length);
    } finally {
      lock.unlock();
    }
  }

  void truncate(SimFile file, long sizeBytes) throws StorageException {
    enter(file);
    try {
      requireNotPoisoned(file);
      faults.check(SimOperation.TRUNCATE, file.path(), -1);
      requireSpace(file, SimOperation.TRUNCATE, sizeBytes);
      file.node().resize(sizeBytes);
    } finally {
      lock.unlock();
    }
  }

  void close(SimFile file) {
    lock.lock();
    try {
      file.closed = true;
      openFiles.remove(file);
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- engine

  @Override
  public String name() {
    return "SIM";
  }

  @Override
  public String description() {
    return "SIM: simulated files in memory";
  }

  @Override
  public EngineChoice choice() {
    return new EngineChoice(name(), List.of());
  }

  @Override
  public void register(Region region) {
    enter();
    try {
      if (registered.contains(region)) {
        throw new IllegalStateException(
            "the region is registered already: sizeBytes=" + region.sizeBytes());
      }
      RegionLeases.register(region);
      registered.add(region);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void unregister(Region region) {
    enter();
    try {
      if (!registered.remove(region)) {
        throw new IllegalStateException(
            "the region is not registered: sizeBytes=" + region.sizeBytes());
      }
      RegionLeases.unregister(region);
    } finally {
      lock.unlock();
    }
  }

  private void requireOwn(IoRequest request) {
    if (!(request.file() instanceof SimFile file) || file.engine() != this) {
      throw new IllegalArgumentException(
          "the request's file was not opened by this engine: name=SIM " + request);
    }
  }

  @Override
  public void submit(IoRequest request) {
    requireOwn(request);
    request.perform();
  }

  @Override
  public void submitAll(IoRequest[] requests, int count) {
    Objects.checkFromIndexSize(0, count, requests.length);
    for (int i = 0; i < count; i++) {
      requireOwn(requests[i]);
    }
    for (int i = 0; i < count; i++) {
      requests[i].perform();
    }
  }

  @Override
  public IoStats stats() {
    lock.lock();
    try {
      return new IoStats(reads, writes, syncs, bytesRead, bytesWritten, 0, reads + writes + syncs);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        for (SimFile file : openFiles) {
          file.closed = true;
        }
        openFiles.clear();
        registered.forEach(RegionLeases::unregister);
        registered.clear();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return description();
  }
}
