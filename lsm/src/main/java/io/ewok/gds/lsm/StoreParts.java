package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * What an open store stands on, and closes in the reverse order of opening.
 *
 * <p>Threads: opened and closed by one at a time; what is set is for any thread afterwards.
 */
final class StoreParts {
  /** One step of closing. */
  @FunctionalInterface
  interface Closing {
    void close() throws IOException;
  }

  private final Deque<Closing> closings = new ArrayDeque<>();

  final IoEngine engine;
  final StoreFiles files;

  /** What the store was opened with. */
  final StoreOptions options;

  final LiveOptions live;
  final StoreMemory memory;
  final StoreCounters counters = new StoreCounters();
  final StoreEvents events;
  final WriteDelay delay;

  /** Whose fiber does what else a background thread does; or null. */
  final Reactor ownerOrNull;

  final BackgroundPace pace;

  // Set while the store is opened, in this order.
  DirectoryLock lock;
  BufferManager buffers;

  /** Null if there is none. */
  RecordCache recordCache;

  Region flushBuffer;
  Region mergeBuffer;
  Region readBuffer;
  TableSet tables;
  MemtableSpace space;
  WriteAheadLog log;
  LogHolds holds;

  /** Null if the log is not archived. */
  LogArchiver archive;

  final SpaceReserve reserve;

  Families families;
  VersionSet versions;
  FamilyChanges familyChanges;
  volatile Background background;

  /** Milliseconds since the epoch. */
  final LongSupplier clock;

  StoreParts(IoEngine engine, StoreFiles files, StoreOptions options) {
    this(engine, files, options, System::currentTimeMillis);
  }

  /** With another clock, for tests. */
  StoreParts(IoEngine engine, StoreFiles files, StoreOptions options, LongSupplier clock) {
    this(engine, files, options, StoreMemory.of(options), null, clock);
  }

  /**
   * Under a budget of somebody else's, and perhaps with an owner that does the background's work.
   */
  StoreParts(
      IoEngine engine,
      StoreFiles files,
      StoreOptions options,
      StoreMemory memory,
      Reactor ownerOrNull,
      LongSupplier clock) {
    this.clock = clock;
    this.engine = engine;
    this.files = files;
    this.options = options;
    this.live = new LiveOptions(options);
    this.memory = memory;
    this.ownerOrNull = ownerOrNull;
    this.pace = new BackgroundPace(ownerOrNull != null);
    this.events = new StoreEvents(files.directory(), options.listener(), counters);
    this.delay = new WriteDelay(System::nanoTime, events);
    this.reserve = new SpaceReserve(engine, files.reserve(), options.reserveBytes());
  }

  /**
   * Tells the background thread, if there is one yet, that something may have changed. Any thread.
   */
  void signalBackground() {
    Background thread = background;
    if (thread != null) {
      thread.signal();
    }
  }

  /** Remembers how a part is closed. */
  void closeLater(Closing closing) {
    closings.push(closing);
  }

  /** Closes all parts, whatever fails. Throws the first failure. */
  void close() throws IOException {
    Throwable failure = null;
    while (!closings.isEmpty()) {
      try {
        closings.pop().close();
      } catch (IOException | RuntimeException | Error e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      default -> throw (Error) failure;
    }
  }
}
