package io.ewok.gds.wal;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The position before which nothing is needed, kept in the log's header. It does not pass what is
 * not archived.
 *
 * <p>Threads: any.
 */
final class LogHorizon {
  private final IoEngine engine;
  private final Path directory;
  private final SegmentRing ring;
  private final SegmentArchive archive;

  /**
   * Held while segments are archived and the header is replaced; taken before the writer's lock.
   */
  private final LongLock lock = new LongLock();

  // Guarded by lock; the volatile one is read by any thread.
  private LogHeader header;
  private volatile long lsn;

  /** The first segment that is not archived. Where the horizon's is after each opening. */
  private long archivedLsn;

  LogHorizon(
      IoEngine engine,
      Path directory,
      SegmentRing ring,
      SegmentArchive archiveOrNull,
      LogHeader header) {
    this.engine = engine;
    this.directory = directory;
    this.ring = ring;
    this.archive = archiveOrNull;
    this.header = header;
    this.lsn = header.horizonLsn();
    this.archivedLsn = ring.segmentStart(lsn);
  }

  long lsn() {
    return lsn;
  }

  /** Keeps truncations out until {@link #unlock}; one that goes on ends before. */
  void lock() {
    lock.lock();
  }

  void unlock() {
    lock.unlock();
  }

  /** Archives the segments before that of a position, which is durable. With the lock. */
  int archiveTo(long toLsn) throws IOException {
    int count = 0;
    while (archive != null && archivedLsn < ring.segmentStart(toLsn)) {
      archive.archive(archivedLsn, ring.path(archivedLsn));
      archivedLsn = ring.segmentEnd(archivedLsn);
      count++;
    }
    return count;
  }

  /** Moves it, durably; see {@link WriteAheadLog#truncate}. With the lock. */
  void move(long toLsn, long durableLsn) throws IOException {
    if (toLsn < lsn || toLsn > durableLsn) {
      throw new IllegalArgumentException(
          "outside of the durable log: horizonLsn=%d durableLsn=%d lsn=%d"
              .formatted(lsn, durableLsn, toLsn));
    }
    int unused = archiveTo(toLsn);
    LogHeader next = header.withHorizon(toLsn);
    next.write(engine, directory);
    header = next;
    lsn = toLsn;
  }
}
