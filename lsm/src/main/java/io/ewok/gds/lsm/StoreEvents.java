package io.ewok.gds.lsm;

import java.lang.System.Logger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Tells what happens in a store to who wants to know: its counters, its listener and JFR.
 *
 * <p>Threads: any; of flushes and compactions the background thread tells, or who recovers.
 */
final class StoreEvents {
  private static final Logger LOGGER = System.getLogger(StoreEvents.class.getName());

  private final String path;
  private final StoreListener listener;
  private final StoreCounters counters;

  /** What the background thread has to tell later; null if it tells at once. */
  private List<Consumer<StoreListener>> later;

  StoreEvents(Path directory, StoreListener listener, StoreCounters counters) {
    this.path = directory.toString();
    this.listener = listener;
    this.counters = counters;
  }

  /**
   * Has flushes and compactions be told of only with {@link #tellNow}: by the background thread
   * while it holds back those who open snapshots, as a listener may.
   */
  void tellLater() {
    later = new ArrayList<>();
  }

  /** Tells of what was held back. */
  void tellNow() {
    List<Consumer<StoreListener>> all = later;
    later = null;
    all.forEach(this::tell);
  }

  private void tellOfWork(Consumer<StoreListener> told) {
    if (later == null) {
      tell(told);
    } else {
      later.add(told);
    }
  }

  /** A memtable was flushed; the event has begun when the flush did. */
  void flushed(FlushEvent event, StoreListener.Flush flush) {
    event.path = path;
    event.tables = flush.tables();
    event.bytes = flush.bytes();
    event.commit();
    counters.flushes.increment();
    tellOfWork(told -> told.flushed(flush));
  }

  /** Tables were compacted; the event has begun when the compaction did. */
  void compacted(CompactionEvent event, FamilyState family, StoreListener.Compacted compacted) {
    event.path = path;
    event.family = compacted.family();
    event.level = compacted.level();
    event.outputLevel = compacted.outputLevel();
    event.kind = compacted.kind().name();
    event.bytesRead = compacted.bytesRead();
    event.bytesWritten = compacted.bytesWritten();
    event.commit();
    StoreCounters.Level level = family.counters(compacted.outputLevel());
    switch (compacted.kind()) {
      case MERGE -> {
        counters.merges.increment();
        level.compactions.increment();
        level.bytesRead.add(compacted.bytesRead());
      }
      case MOVE -> level.moves.increment();
      case DROP -> {} // nothing comes to a level
    }
    tellOfWork(told -> told.compacted(compacted));
  }

  /** A flush or a compaction failed. */
  void failed(Throwable reason) {
    tell(told -> told.failed(reason));
  }

  /** A write waited; the event has begun when the wait did. */
  void stalled(WriteStallEvent event, StallReason reason, long nanos) {
    event.path = path;
    event.reason = reason.name();
    event.commit();
    counters.stall(reason).count.increment();
    counters.stall(reason).nanos.add(nanos);
    tell(told -> told.stalled(new StoreListener.Stall(reason, nanos)));
  }

  /** A write took a little longer, so little that nobody else is told. */
  void slowed(StallReason reason, long nanos) {
    counters.stall(reason).nanos.add(nanos);
  }

  private void tell(Consumer<StoreListener> told) {
    try {
      told.accept(listener);
    } catch (RuntimeException e) {
      LOGGER.log(Logger.Level.WARNING, "a listener failed: path=" + path, e);
    }
  }
}
