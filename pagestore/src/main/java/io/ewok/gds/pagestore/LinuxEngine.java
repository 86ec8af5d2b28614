package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the engines on files of the operating system share: names, open files, leases, and the way
 * of a request in and out. An engine adds how a claimed request reaches the kernel.
 */
abstract sealed class LinuxEngine implements IoEngine permits PoolEngine, UringEngine {
  private final EngineChoice choice;
  private final SyncMethod syncMethod;
  private final KeySource keys;

  /** By device; what is found out about one serves all files on it. */
  private final Map<Long, SyncChoice> syncChoices = new ConcurrentHashMap<>();

  private final BlockingCalls blockingCalls;
  private final IoCounters counters;
  private final RequestCache requests = new RequestCache();

  /** Guarded by itself. */
  private final Set<LinuxFile> openFiles = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Guarded by itself. */
  private final Set<Region> registered = Collections.newSetFromMap(new IdentityHashMap<>());

  private final WorkDispatch dispatch;

  private volatile boolean closed;

  /**
   * Begins an engine.
   *
   * @param depth requests that it has at once
   */
  LinuxEngine(EngineOptions options, EngineChoice choice, int depth, NodeTraffic nodeTraffic) {
    this.choice = choice;
    this.syncMethod = options.syncMethod();
    this.keys = options.keys();
    this.counters = new IoCounters(nodeTraffic);
    this.dispatch = new WorkDispatch(depth, System::nanoTime, this::enqueueHeldBack, new Pacer());
    this.blockingCalls = new BlockingCalls("gds-io");
  }

  /**
   * Passes a claimed request on; it ends in {@link #complete} or {@link #fail}. May wait while the
   * engine is full. Throws nothing.
   */
  abstract void enqueue(IoRequest request);

  /** As {@link #enqueue} for claimed requests that may end at once, 0 to {@code count - 1}. */
  abstract void enqueueAll(IoRequest[] batch, int count);

  /** Ends an enqueued request early, if that can still be done. */
  abstract void withdraw(IoRequest request);

  /** Prepares the region for many transfers; it is leased. */
  abstract void registerWithKernel(Region region);

  abstract void unregisterFromKernel(Region region);

  /** Prepares a file that was opened for many transfers. Does not fail. */
  abstract void registerWithKernel(LinuxFile file);

  /** Undoes that, before its descriptor is closed. */
  abstract void unregisterFromKernel(LinuxFile file);

  /** Ends the engine's threads; no request is in flight any more. Waits for them. */
  abstract void stop();

  /** Whether this is a thread that {@link #stop} would wait for. */
  abstract boolean isOwnThread();

  @Override
  public final EngineChoice choice() {
    return choice;
  }

  @Override
  public final String name() {
    return choice.chosen();
  }

  @Override
  public final KeySource keys() {
    return keys;
  }

  @Override
  public final void setThrottle(ThrottleOptions options) {
    requireOpen();
    dispatch.change(options);
  }

  @Override
  public final ThrottleOptions throttle() {
    return dispatch.options();
  }

  @Override
  public final ClassStats stats(WorkClass work) {
    return dispatch.stats(work);
  }

  /** Whether a transfer must come as a request, even where the caller could perform it himself. */
  final boolean limits(WorkClass work, boolean write) {
    return dispatch.limits(work, write);
  }

  @Override
  public IoStats stats() {
    return counters.snapshot(0);
  }

  final BlockingCalls blockingCalls() {
    return blockingCalls;
  }

  final SyncChoice syncChoice(long device) {
    return syncChoices.computeIfAbsent(device, key -> new SyncChoice(syncMethod));
  }

  final IoCounters counters() {
    return counters;
  }

  final RequestCache requests() {
    return requests;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the engine is closed: name=" + name());
    }
  }

  // ---------------------------------------------------------------- requests

  @Override
  public final void submit(IoRequest request) {
    claim(request);
    if (!endsAtOnce(request)) {
      if (isThrottled(request)) {
        dispatch.offer(request);
        dispatch.pump();
      } else {
        enqueue(request);
      }
    }
  }

  private void enqueueHeldBack(IoRequest request) {
    // A sync may have failed while it waited.
    if (!endsAtOnce(request)) {
      enqueue(request);
    }
  }

  private boolean isThrottled(IoRequest request) {
    return dispatch.isLimited() && request.kind() != IoRequest.Kind.SYNC;
  }

  @Override
  public final void submitAll(IoRequest[] batch, int count) {
    Objects.checkFromIndexSize(0, count, batch.length);
    int claimed = 0;
    try {
      for (; claimed < count; claimed++) {
        claim(batch[claimed]);
      }
    } finally {
      if (claimed < count) {
        while (claimed > 0) {
          IoRequest request = batch[--claimed];
          request.endLease();
          request.rollback();
          ((LinuxFile) request.file()).exit();
        }
      }
    }
    if (!dispatch.isLimited()) {
      enqueueAll(batch, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      if (!endsAtOnce(batch[i])) {
        if (isThrottled(batch[i])) {
          dispatch.offer(batch[i]);
        } else {
          enqueue(batch[i]);
        }
      }
    }
    dispatch.pump();
  }

  @Override
  public final void cancel(IoRequest request) {
    requireOwn(request);
    if (dispatch.withdraw(request)) {
      fail(request, new CancellationException("the request was cancelled: " + request));
    } else {
      withdraw(request);
    }
  }

  private LinuxFile requireOwn(IoRequest request) {
    if (request.file() instanceof LinuxFile file && file.engine() == this) {
      return file;
    }
    throw new IllegalArgumentException(
        "the request's file was not opened by this engine: name=%s %s".formatted(name(), request));
  }

  /** From here to its end the descriptor stays open and the memory mapped. */
  private void claim(IoRequest request) {
    LinuxFile file = requireOwn(request);
    request.begin();
    boolean entered = false;
    boolean claimed = false;
    try {
      file.enter();
      entered = true;
      request.lease();
      claimed = true;
    } finally {
      if (!claimed) {
        if (entered) {
          file.exit();
        }
        request.rollback();
      }
    }
  }

  /** Ends what needs no kernel: empty transfers, and writes to a poisoned file. */
  final boolean endsAtOnce(IoRequest request) {
    IoRequest.Kind kind = request.kind();
    if (kind != IoRequest.Kind.READ) {
      try {
        ((LinuxFile) request.file()).requireNotPoisoned();
      } catch (PoisonedFileException e) {
        endAtOnce(request, e);
        return true;
      }
    }
    if (kind != IoRequest.Kind.SYNC && request.length() == 0) {
      endAtOnce(request, null);
      return true;
    }
    return false;
  }

  /*
   * How a request ends. The lease goes first, so that who was told of the end can close the region,
   * and then its place in the work queue. In between comes the telling, after which the request is
   * its owner's and not touched. Then goes the file's gate, so that who closed the file finds its
   * requests done; but before a completion is called, since that may close the file itself. Handing
   * over what waited for the place is last.
   */

  /** Ends a request that succeeded; counting it is the caller's. */
  final void complete(IoRequest request, int bytes) {
    request.endLease();
    boolean placeFree = dispatch.ended(request);
    LinuxFile left = leftAfterTelling(request);
    request.complete(bytes);
    leave(left, placeFree);
  }

  private void endAtOnce(IoRequest request, Throwable failureOrNull) {
    request.endLease();
    boolean placeFree = dispatch.ended(request);
    LinuxFile left = leftAfterTelling(request);
    request.endAtOnce(failureOrNull);
    leave(left, placeFree);
  }

  final void fail(IoRequest request, Throwable failure) {
    request.endLease();
    abandon(request, failure);
  }

  /** Ends a request whose memory the kernel may still use: the lease is never given back. */
  final void abandon(IoRequest request, Throwable cause) {
    boolean placeFree = dispatch.ended(request);
    LinuxFile left = leftAfterTelling(request);
    request.fail(cause);
    leave(left, placeFree);
  }

  /** Leaves the file of a request with a completion; returns that of one without. */
  private static LinuxFile leftAfterTelling(IoRequest request) {
    LinuxFile file = (LinuxFile) request.file();
    if (request.isTold()) {
      file.exit();
      return null;
    }
    return file;
  }

  private void leave(LinuxFile file, boolean placeFree) {
    if (file != null) {
      file.exit();
    }
    if (placeFree) {
      dispatch.pump();
    }
  }

  // ---------------------------------------------------------------- files and names

  @Override
  public final IoFile open(Path path, OpenMode mode) throws IOException {
    requireOpen();
    LinuxFile file = blockingCalls.call(() -> LinuxFile.open(this, path, mode));
    registerWithKernel(file);
    synchronized (openFiles) {
      if (!closed) {
        openFiles.add(file);
        return file;
      }
    }
    file.close();
    requireOpen();
    throw new AssertionError("unreachable, the engine is closed");
  }

  final void forget(LinuxFile file) {
    unregisterFromKernel(file);
    synchronized (openFiles) {
      openFiles.remove(file);
    }
  }

  @Override
  public final void createDirectories(Path directory) throws IOException {
    requireOpen();
    blockingCalls.run(() -> Directories.create(directory));
  }

  @Override
  public final List<Path> list(Path directory) throws IOException {
    requireOpen();
    return blockingCalls.call(() -> Directories.list(directory));
  }

  @Override
  public final boolean exists(Path path) throws IOException {
    requireOpen();
    return blockingCalls.call(() -> Directories.exists(path));
  }

  @Override
  public final void rename(Path from, Path to) throws IOException {
    requireOpen();
    blockingCalls.run(() -> Directories.rename(from, to));
  }

  @Override
  public final boolean link(Path existing, Path link) throws IOException {
    requireOpen();
    return blockingCalls.call(() -> Directories.link(existing, link));
  }

  @Override
  public final void delete(Path path) throws IOException {
    requireOpen();
    blockingCalls.run(() -> Directories.delete(path));
  }

  @Override
  public final void syncDirectory(Path directory) throws IOException {
    requireOpen();
    blockingCalls.run(() -> Directories.sync(directory));
    counters.countNativeCall();
    counters.countCompleted(IoRequest.Kind.SYNC, 0);
  }

  @Override
  public final DirectoryLock lock(Path lockFile) throws IOException {
    requireOpen();
    return blockingCalls.call(() -> FileLocks.lock(lockFile, blockingCalls));
  }

  // ---------------------------------------------------------------- regions

  @Override
  public final void register(Region region) {
    onThreadThatMayWait(
        () -> {
          synchronized (registered) {
            registerUnderLock(region);
          }
        });
  }

  private void registerUnderLock(Region region) {
    requireOpen();
    if (registered.contains(region)) {
      throw new IllegalStateException(
          "the region is registered already: sizeBytes=" + region.sizeBytes());
    }
    RegionLeases.register(region);
    try {
      registerWithKernel(region);
    } catch (RuntimeException | Error e) {
      RegionLeases.unregister(region);
      throw e;
    }
    registered.add(region);
    counters.nodeTraffic().register(region);
  }

  @Override
  public final void unregister(Region region) {
    onThreadThatMayWait(
        () -> {
          synchronized (registered) {
            unregisterUnderLock(region);
          }
        });
  }

  private void unregisterUnderLock(Region region) {
    requireOpen();
    if (!registered.remove(region)) {
      throw new IllegalStateException(
          "the region is not registered: sizeBytes=" + region.sizeBytes());
    }
    counters.nodeTraffic().unregister(region);
    try {
      unregisterFromKernel(region);
    } finally {
      // Transfers in flight have leases of their own.
      RegionLeases.unregister(region);
    }
  }

  private void onThreadThatMayWait(Runnable body) {
    try {
      blockingCalls.run(body::run);
    } catch (IOException e) {
      throw new AssertionError("the body throws none", e);
    }
  }

  @Override
  public final void close() throws IOException {
    if (isOwnThread()) {
      throw new IllegalStateException("the engine would wait for itself: name=" + name());
    }
    synchronized (openFiles) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      blockingCalls.run(this::end);
    } finally {
      blockingCalls.close();
    }
  }

  private void end() throws IOException {
    List<LinuxFile> left;
    synchronized (openFiles) {
      left = new ArrayList<>(openFiles);
    }
    dispatch.close();
    IOException failure = null;
    for (LinuxFile file : left) {
      try {
        file.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    stop();
    synchronized (registered) {
      registered.forEach(RegionLeases::unregister);
      registered.clear();
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public final String toString() {
    return description();
  }
}
