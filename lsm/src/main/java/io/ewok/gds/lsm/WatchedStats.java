package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.ClassStats;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Shows a store's counters to other processes, see {@link StoreWatch}, as long as one of them
 * looks. As long as nobody does it costs a read of 8 bytes that are in memory, once a second.
 *
 * <p>Threads: the background thread. Not for stores in a simulation, which have no files, nor for
 * those whose background is their owner's: its files would be waited for by all of its fibers.
 */
final class WatchedStats implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(WatchedStats.class.getName());

  /** How often the thread looks whether somebody does. */
  private static final long LOOK_NANOS = 1_000_000_000;

  /** How often the counters are written while somebody does. */
  private static final long PUBLISH_NANOS = 250_000_000;

  private static final Set<StandardOpenOption> OPTIONS =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final StoreParts parts;
  private final LongSupplier nanoTime;
  private final Path path;

  /** Null if there is none, or none any more. */
  private FileChannel file;

  /** When the thread has looked last, and what it has seen. */
  private long lookNanos;

  private boolean isWatched;
  private long publishNanos;

  private WatchedStats(StoreParts parts, Path path, LongSupplier nanoTime) {
    this.parts = parts;
    this.path = path;
    this.nanoTime = nanoTime;
    this.file = path == null ? null : createOrNull(path);
    this.lookNanos = nanoTime.getAsLong();
    this.publishNanos = lookNanos - PUBLISH_NANOS;
  }

  /** Of a store that is open, to be closed before its directory is unlocked. */
  static WatchedStats of(StoreParts parts) {
    return of(parts, System::nanoTime);
  }

  /** By another clock, for tests. */
  static WatchedStats of(StoreParts parts, LongSupplier nanoTime) {
    boolean isSimulated = parts.engine.name().equals("SIM");
    boolean isWatchable = !isSimulated && parts.ownerOrNull == null;
    return new WatchedStats(parts, isWatchable ? parts.files.watch() : null, nanoTime);
  }

  /** Whoever cannot make one goes without: a store is there for other things. */
  private static FileChannel createOrNull(Path path) {
    FileChannel file = null;
    try {
      boolean unused = Files.deleteIfExists(path); // of a process that was killed
      file = FileChannel.open(path, OPTIONS, PRIVATE);
      WatchFormat.create(file, ProcessHandle.current().pid());
      return file;
    } catch (IOException e) {
      LOGGER.log(Logger.Level.DEBUG, "the store cannot be watched: path=" + path, e);
      close(file, path);
      return null;
    }
  }

  /**
   * Returns how long until {@link #publishIfDue} is to be called again, {@link Long#MAX_VALUE} for
   * never.
   */
  long nanosLeft() {
    if (file == null) {
      return Long.MAX_VALUE;
    }
    long now = nanoTime.getAsLong();
    return Math.max(
        1, isWatched ? PUBLISH_NANOS - (now - publishNanos) : LOOK_NANOS - (now - lookNanos));
  }

  boolean isDue() {
    if (file == null) {
      return false;
    }
    long now = nanoTime.getAsLong();
    return now - lookNanos >= LOOK_NANOS || (isWatched && now - publishNanos >= PUBLISH_NANOS);
  }

  /** Looks whether somebody watches, and publishes the counters if so, at the time for either. */
  void publishIfDue() {
    if (!isDue()) {
      return;
    }
    try {
      long now = nanoTime.getAsLong();
      if (now - lookNanos >= LOOK_NANOS) {
        lookNanos = now;
        isWatched = WatchFormat.watchedUntil(file) > parts.clock.getAsLong();
      }
      if (isWatched && now - publishNanos >= PUBLISH_NANOS) {
        publishNanos = now;
        long process = ProcessHandle.current().pid();
        WatchFormat.publish(
            file, new WatchFormat.Published(parts.clock.getAsLong(), process, text()));
      }
    } catch (IOException | RuntimeException e) {
      LOGGER.log(Logger.Level.DEBUG, "the store is not watched any more: path=" + path, e);
      close();
    }
  }

  private String text() {
    StoreStats stats = StoreStatsReader.read(parts);
    StringBuilder text = new StringBuilder();
    line(text, WatchFormat.NAMESPACE, WatchFormat.namespace());
    line(text, "nanos", nanoTime.getAsLong());
    line(text, "engine", stats.engine());
    line(text, "sequence", stats.sequence());
    line(text, "operations", stats.written().operations());
    line(text, "bytes.user", stats.written().userBytes());
    line(text, "bytes.log", stats.written().logBytes());
    line(text, "bytes.flush", stats.written().flushBytes());
    line(text, "bytes.merge", stats.written().mergeBytes());
    line(text, "flushes", stats.flushes());
    line(text, "merges", stats.merges());
    line(text, "gets", stats.read().gets());
    line(text, "blocks.hit", stats.read().blockHits());
    line(text, "blocks.miss", stats.read().blockMisses());
    line(text, "records.hit", stats.recordCache().hits());
    line(text, "records.miss", stats.recordCache().misses());
    line(text, "cursors", stats.openCursors());
    line(text, "memory.used", stats.memory().usedBytes());
    line(text, "memory.peak", stats.memory().peakBytes());
    line(text, "memory.limit", stats.memory().limitBytes());
    line(text, "log.horizon", parts.log.horizonLsn());
    line(text, "log.end", parts.log.endLsn());
    line(text, "log.durable", parts.log.durableLsn());
    line(text, "log.left", parts.log.spaceLeftBytes());
    io(text, parts.engine);
    stats.stalls().byReason().forEach((reason, stall) -> stall(text, reason, stall));
    for (int level = 0; level < stats.levels().size(); level++) {
      StoreStats.Level of = stats.levels().get(level);
      line(text, "level." + level + ".tables", of.tables());
      line(text, "level." + level + ".bytes", of.bytes());
      line(text, "level." + level + ".score", Math.round(1_000 * of.score()));
    }
    return text.toString();
  }

  private static void io(StringBuilder text, IoEngine engine) {
    IoStats io = engine.stats();
    line(text, "device.reads", io.reads());
    line(text, "device.writes", io.writes());
    line(text, "device.syncs", io.syncs());
    line(text, "device.bytes.read", io.bytesRead());
    line(text, "device.bytes.written", io.bytesWritten());
    for (WorkClass work : WorkClass.values()) {
      ClassStats of = engine.stats(work);
      String name = "class." + work.name().toLowerCase(Locale.ROOT);
      line(text, name + ".operations", of.operations());
      line(text, name + ".bytes", of.bytes());
      line(text, name + ".throttled.nanos", of.throttledNanos());
      line(text, name + ".waiting", of.waiting());
    }
  }

  private static void stall(StringBuilder text, StallReason reason, StoreStats.Stall stall) {
    String name = "stall." + reason.name().toLowerCase(Locale.ROOT);
    line(text, name + ".count", stall.count());
    line(text, name + ".nanos", stall.nanos());
  }

  private static void line(StringBuilder text, String name, long value) {
    line(text, name, Long.toString(value));
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(name).append('=').append(value).append('\n');
  }

  @Override
  public void close() {
    close(file, path);
    file = null;
  }

  private static void close(FileChannel file, Path path) {
    if (file == null) {
      return;
    }
    try (file) {
      file.truncate(0); // for who has it open
      boolean unused = Files.deleteIfExists(path);
    } catch (IOException e) {
      LOGGER.log(Logger.Level.DEBUG, "cannot delete a file: path=" + path, e);
    }
  }
}
