package io.ewok.gds.wal;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The position before which nothing is needed, kept in the log's header.
 *
 * <p>Threads: any.
 */
final class LogHorizon {
  private final IoEngine engine;
  private final Path directory;

  /** Held while the header is replaced; taken before the writer's lock. */
  private final LongLock lock = new LongLock();

  // Guarded by lock; the volatile one is read by any thread.
  private LogHeader header;
  private volatile long lsn;

  LogHorizon(IoEngine engine, Path directory, LogHeader header) {
    this.engine = engine;
    this.directory = directory;
    this.header = header;
    this.lsn = header.horizonLsn();
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

  /** Moves it, durably; see {@link WriteAheadLog#truncate}. With the lock. */
  void move(long toLsn, long durableLsn) throws IOException {
    if (toLsn < lsn || toLsn > durableLsn) {
      throw new IllegalArgumentException(
          "outside of the durable log: horizonLsn=%d durableLsn=%d lsn=%d"
              .formatted(lsn, durableLsn, toLsn));
    }
    LogHeader next = header.withHorizon(toLsn);
    next.write(engine, directory);
    header = next;
    lsn = toLsn;
  }
}
