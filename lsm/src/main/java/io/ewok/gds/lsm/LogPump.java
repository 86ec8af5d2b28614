package io.ewok.gds.lsm;

import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;

/**
 * Writes the log out behind those who do not wait for that, while its blocks are still half empty:
 * else whoever fills one has to write it, and his write takes as long as the device.
 *
 * <p>Ownership: has a thread, which {@link #close} ends. Threads: any.
 */
final class LogPump {
  private static final Logger LOGGER = System.getLogger(LogPump.class.getName());

  /** How often a block is written while it could be filled once. */
  private static final int PARTS = 4;

  private final WriteAheadLog log;
  private final int partShift;

  /** Posted when the thread has done its last write. */
  private final Baton ended = new Baton();

  private final Monitor lock = new Monitor();
  private final Monitor.Line wanted = lock.newLine();

  // Guarded by lock.
  private long wantedLsn;
  private boolean closing;

  LogPump(StoreParts parts) {
    this.log = parts.log;
    int blockBytes = StoreMemory.logOptions(parts.options).bufferBytes();
    this.partShift = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(blockBytes / PARTS);
    Thread.ofPlatform()
        .daemon()
        .name("gds-log-" + parts.files.directory().getFileName())
        .start(this::run);
  }

  /** Tells that a record lies in the log from one position to another, and nobody writes it. */
  void passed(long fromLsn, long toLsn) {
    if (fromLsn >>> partShift != toLsn >>> partShift) {
      want(toLsn);
    }
  }

  private void want(long lsn) {
    lock.lock();
    try {
      wantedLsn = Math.max(wantedLsn, lsn);
      wanted.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      long written = 0;
      while (awaitWanted(written)) {
        written = log.endLsn();
        log.commit(written, LogDurability.BUFFERED);
      }
    } catch (IOException | RuntimeException | Error e) {
      // Not lost: the log is poisoned now, and the next writer gets the reason.
      LOGGER.log(Logger.Level.WARNING, "the log cannot be written: reason=" + e);
    } finally {
      ended.post();
    }
  }

  private boolean awaitWanted(long writtenLsn) {
    lock.lock();
    try {
      while (!closing && wantedLsn <= writtenLsn) {
        wanted.await();
      }
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread, and waits for that. Once, before the log is closed. */
  void close() {
    lock.lock();
    try {
      closing = true;
      wanted.wakeAll();
    } finally {
      lock.unlock();
    }
    ended.await();
  }
}
