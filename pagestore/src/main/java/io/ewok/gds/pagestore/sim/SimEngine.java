package io.ewok.gds.pagestore.sim;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.ClassStats;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.EngineChoice;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.ThrottleOptions;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.reactor.Monitor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * A file system in memory that forgets, as a machine does that loses power. For tests of whatever
 * stands on {@link IoEngine}.
 *
 * <p>What was written is visible at once, and durable after a sync; new, renamed and deleted names
 * are durable after a sync of their directory. {@link #crash} returns a new engine with one of the
 * states that a power cut could leave: of each sector written since the last sync any content it
 * had, of each name change whether it happened.
 *
 * <p>Operations complete inline, submitted ones too, unless {@link SimOptions#latency} says
 * otherwise: then requests are in flight until {@link #clock} is moved, which awaiting one of them
 * does, and blocking calls and closing do. A request takes effect when it ends, and a sync is of
 * what had ended when it began. Operations on names take no time. All chance comes from the seeds:
 * a test with one thread repeats exactly.
 *
 * <p>Limits ({@link #setThrottle}) hold on the clock, exactly. While there are any, reads, writes
 * and syncs of files are in flight until the clock is moved even where they take no time.
 *
 * <p>Ownership: whoever creates it closes it; it holds heap memory only. Close is not a crash:
 * nothing is lost, and {@link #crash} still works.
 *
 * <p>Threads: any; one lock guards everything but the hook of {@link #beforeWrite}.
 *
 * <pre>{@code
 * SimEngine engine = new SimEngine(seed);
 * engine.onSync(() -> verify(engine.crash(seed + engine.syncCount())));
 * runWorkload(engine);
 * }</pre>
 *
 * <p>Errors: as {@link IoEngine}, plus those that {@link #failNth}, {@link #setRate} and {@link
 * SimOptions} ask for.
 */
public final class SimEngine implements IoEngine {
  private final Monitor lock = new Monitor();
  private final SimOptions options;
  private final SimClock clock;

  /** What follows is guarded by {@link #lock}. */
  private final SimNames names;

  private final SimTrace trace;
  private final SimFaults faults;
  private final SimFileSystem fileSystem;
  private final SimDevice device;
  private final Set<Region> registered = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<SimFile> openFiles = new ArrayList<>();
  private final SimInFlight inFlight;
  private boolean closed;

  private volatile Consumer<Path> beforeWrite = _ -> {};

  /** Creates an empty file system with the root directory, of 512-byte sectors, without faults. */
  public SimEngine(long seed) {
    this(seed, SimOptions.defaults());
  }

  /**
   * Creates an empty file system without faults.
   *
   * @param alignmentBytes as in {@link SimOptions}
   */
  public SimEngine(long seed, int alignmentBytes) {
    this(seed, SimOptions.defaults().withAlignmentBytes(alignmentBytes));
  }

  /** Creates an empty file system with the root directory. */
  public SimEngine(long seed, SimOptions options) {
    this(seed, options, new SimClock(), new SimNames());
  }

  private SimEngine(long seed, SimOptions options, SimClock clock, SimNames names) {
    this.options = options;
    this.clock = clock;
    this.names = names;
    this.trace = new SimTrace(clock);
    this.faults = new SimFaults(seed, options.rates(), trace);
    this.fileSystem = new SimFileSystem(names, faults);
    this.device = new SimDevice(options, names, faults, new SplittableRandom(seed));
    this.inFlight = new SimInFlight(this, device, options, new SplittableRandom(~seed));
  }

  // ---------------------------------------------------------------- what tests ask for

  /**
   * Returns a new engine with one possible state after a power cut at this moment, chosen by the
   * seed. This engine stays as it is, so that one run can be cut at many places. Locks, injected
   * errors, rates, limits, requests in flight and the hooks are not inherited; the capacity and the
   * other options are. Its clock is its own, and goes on from this moment.
   */
  public SimEngine crash(long seed) {
    try (Held _ = hold()) {
      SplittableRandom chance = new SplittableRandom(seed);
      long seedAfter = chance.nextLong();
      SimNames left = names.crashed(chance, faults.tears(seed));
      SimEngine after =
          new SimEngine(seedAfter, options.withoutFaults(), new SimClock(clock.getAsLong()), left);
      after.device.setCapacityBytes(device.capacityBytes());
      return after;
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
    try (Held _ = hold()) {
      faults.add(operation, n, errno);
    }
  }

  /**
   * Changes how often a fault happens from now on.
   *
   * @param rate 0 for never to 1 for always
   */
  public void setRate(SimFault fault, double rate) {
    SimOptions.requireRate(fault, rate);
    try (Held _ = hold()) {
      faults.setRate(fault, rate);
    }
  }

  /** Returns how often a fault has happened because of its rate. */
  public long count(SimFault fault) {
    try (Held _ = hold()) {
      return faults.count(fault);
    }
  }

  /** Returns the clock on which transfers take the time of {@link SimOptions#latency}. */
  public SimClock clock() {
    return clock;
  }

  /**
   * Returns a hash of all operations so far, their places, times and faults: two runs with the same
   * hash did the same.
   */
  public long traceHash() {
    try (Held _ = hold()) {
      return trace.hash();
    }
  }

  /** Limits the sum of the files' sizes in bytes; what needs more fails with ENOSPC. */
  public void setCapacityBytes(long capacityBytes) {
    if (capacityBytes < 0) {
      throw new IllegalArgumentException(
          "a capacity is not negative: capacityBytes=" + capacityBytes);
    }
    try (Held _ = hold()) {
      device.setCapacityBytes(capacityBytes);
    }
  }

  /** Returns the sum of the files' sizes in bytes. */
  public long usedBytes() {
    try (Held _ = hold()) {
      return device.usedBytes();
    }
  }

  /** Flips the lowest bit of a byte of a file, as a failing medium does. */
  public void flipBit(Path path, long offset) throws IOException {
    try (Held _ = hold()) {
      SimNode node = fileSystem.existing(path);
      Objects.checkIndex(offset, node.sizeBytes());
      node.flipBit(offset);
    }
  }

  /** Makes the sector of a byte of a file unreadable, with EIO, until it is written. */
  public void markBad(Path path, long offset) throws IOException {
    try (Held _ = hold()) {
      SimNode node = fileSystem.existing(path);
      Objects.checkIndex(offset, node.sizeBytes());
      node.markBad(offset);
    }
  }

  /**
   * Drops the page cache: reads see what the device has of sectors that a failed sync marked clean.
   * See {@link SimSyncFailure#MARKED_CLEAN}.
   */
  public void evict() {
    try (Held _ = hold()) {
      names.files().forEach(SimNode::evict);
    }
  }

  /**
   * Calls a hook before each sync of a file or directory takes effect: everything since the last
   * one is still volatile. The hook may crash this engine; what it throws comes out of the sync.
   */
  public void onSync(Runnable hook) {
    try (Held _ = hold()) {
      faults.setOnSync(Objects.requireNonNull(hook, "hook"));
    }
  }

  /**
   * Calls a hook before each write of a file takes effect: between syncs these are the moments at
   * which what a power cut may leave changes. Otherwise as {@link #onSync}.
   */
  public void onWrite(Runnable hook) {
    try (Held _ = hold()) {
      faults.setOnWrite(Objects.requireNonNull(hook, "hook"));
    }
  }

  /**
   * Calls a hook with a file's path before each write of it, without the engine's lock: others go
   * on meanwhile, so some files can be slow. For an engine without {@linkplain SimOptions#latency
   * latency}.
   */
  public void beforeWrite(Consumer<Path> hook) {
    beforeWrite = Objects.requireNonNull(hook, "hook");
  }

  /** A write of a file is asked for. Not to be called with the lock. */
  void writing(SimFile file) {
    beforeWrite.accept(file.path());
  }

  /** Returns the syncs of files and directories that began, failed ones included. */
  public long syncCount() {
    try (Held _ = hold()) {
      return faults.syncCount();
    }
  }

  // ---------------------------------------------------------------- names

  /** Lets go of the lock. */
  interface Held extends AutoCloseable {
    @Override
    void close();
  }

  Held hold() {
    lock.lock();
    return lock::unlock;
  }

  /** Takes the lock; throws if closed, with the lock free. */
  private Held enter() {
    Held held = hold();
    if (closed) {
      held.close();
      throw new IllegalStateException("the engine is closed: name=SIM");
    }
    return held;
  }

  /** As {@link #enter()}; throws, too, if the file is closed. */
  Held enter(SimFile file) {
    Held held = enter();
    try {
      requireOpen(file);
    } catch (IllegalStateException e) {
      held.close();
      throw e;
    }
    return held;
  }

  /** The caller holds the lock. */
  void requireOpen(SimFile file) {
    if (closed || file.closed) {
      throw new IllegalStateException("the file is closed: path=" + file.path());
    }
  }

  @Override
  public IoFile open(Path path, OpenMode mode) throws IOException {
    try (Held _ = enter()) {
      SimFile file = new SimFile(this, path, fileSystem.open(path, mode), mode.canWrite());
      openFiles.add(file);
      return file;
    }
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    try (Held _ = enter()) {
      fileSystem.createDirectories(directory);
    }
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    try (Held _ = enter()) {
      return fileSystem.list(directory);
    }
  }

  @Override
  public boolean exists(Path path) {
    try (Held _ = enter()) {
      return fileSystem.exists(path);
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    try (Held _ = enter()) {
      fileSystem.rename(from, to);
    }
  }

  @Override
  public boolean link(Path existing, Path link) throws IOException {
    try (Held _ = enter()) {
      fileSystem.link(existing, link);
      return true;
    }
  }

  @Override
  public void delete(Path path) throws IOException {
    try (Held _ = enter()) {
      fileSystem.delete(path);
    }
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    try (Held _ = enter()) {
      fileSystem.syncDirectory(directory);
      device.countSync();
    }
  }

  @Override
  public DirectoryLock lock(Path lockFile) throws IOException {
    try (Held _ = enter()) {
      return new SimLock(this, fileSystem, fileSystem.lock(lockFile));
    }
  }

  // ---------------------------------------------------------------- files

  int alignmentBytes() {
    return options.alignmentBytes();
  }

  int atomicBytesMax() {
    return options.atomicBytesMax();
  }

  /** Guarded by the lock. */
  SimDevice device() {
    return device;
  }

  void close(SimFile file) {
    try (Held _ = hold()) {
      file.closed = true;
      openFiles.remove(file);
    }
    inFlight.drain(file);
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
    try (Held _ = enter()) {
      if (registered.contains(region)) {
        throw new IllegalStateException(
            "the region is registered already: sizeBytes=" + region.sizeBytes());
      }
      RegionLeases.register(region);
      registered.add(region);
    }
  }

  @Override
  public void unregister(Region region) {
    try (Held _ = enter()) {
      if (!registered.remove(region)) {
        throw new IllegalStateException(
            "the region is not registered: sizeBytes=" + region.sizeBytes());
      }
      RegionLeases.unregister(region);
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
    submitAll(new IoRequest[] {request}, 1);
  }

  @Override
  public void submitAll(IoRequest[] requests, int count) {
    Objects.checkFromIndexSize(0, count, requests.length);
    for (int i = 0; i < count; i++) {
      requireOwn(requests[i]);
    }
    if (takesTime()) {
      inFlight.start(requests, count);
    } else {
      for (int i = 0; i < count; i++) {
        if (requests[i].isAtomic()) {
          try (Held _ = hold()) {
            SimFile file = (SimFile) requests[i].file();
            file.node().writeAtomically(requests[i].offset(), requests[i].length());
          }
        }
        requests[i].perform();
      }
    }
  }

  // ---------------------------------------------------------------- transfers that take time

  boolean takesTime() {
    return !options.latency().equals(SimLatency.NONE) || inFlight.dispatch().isLimited();
  }

  @Override
  public void cancel(IoRequest request) {
    requireOwn(request);
    inFlight.cancel(request);
  }

  // ---------------------------------------------------------------- end

  @Override
  public KeySource keys() {
    return options.keys();
  }

  @Override
  public void setThrottle(ThrottleOptions options) {
    Objects.requireNonNull(options, "options");
    enter().close();
    inFlight.dispatch().change(options);
  }

  @Override
  public ThrottleOptions throttle() {
    return inFlight.dispatch().options();
  }

  @Override
  public ClassStats stats(WorkClass work) {
    return inFlight.dispatch().stats(Objects.requireNonNull(work, "work"));
  }

  @Override
  public IoStats stats() {
    try (Held _ = hold()) {
      return device.stats();
    }
  }

  @Override
  public void close() {
    List<SimFile> files;
    try (Held _ = hold()) {
      inFlight.requireNotTelling();
      closed = true;
      files = List.copyOf(openFiles);
    }
    inFlight.dispatch().close();
    files.forEach(this::close);
    inFlight.awaitTellers();
    try (Held _ = hold()) {
      registered.forEach(RegionLeases::unregister);
      registered.clear();
    }
  }

  @Override
  public String toString() {
    return description();
  }
}
