import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import io.ewok.gds.wal.cache.LogCursor;
import io.ewok.gds.wal.cache.LogReadCache;
import io.ewok.gds.wal.cache.LogReadCacheOptions;
import io.ewok.gds.wal.cache.PayloadCheck;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A queue that is a log: messages are durable when they are acknowledged, each reader goes at its
 * own pace, with its position as all that has to be kept of it, and what all have read is
 * forgotten. Run it twice: what the first run has not read is there in the second.
 */
final class DurableQueue {
  private static final int MESSAGES = 1_000;
  private static final int MESSAGE_MAX = 1 << 10;

  static void main(String[] arguments) throws Exception {
    Path directory =
        arguments.length > 0 ? Path.of(arguments[0]) : Files.createTempDirectory("queue");
    MemoryBudget budget = MemoryBudget.root("queue", 64L << 20);
    LogOptions options = LogOptions.defaults().withSegmentBytes(4 << 20).withSegmentCount(4);
    int[] found = new int[1];
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        WriteAheadLog log =
            WriteAheadLog.open(engine, directory, options, budget, (lsn, message) -> found[0]++);
        LogReadCache cache =
            new LogReadCache(engine, log.source(), budget, LogReadCacheOptions.defaults());
        ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      IO.println("not read by the last run: " + found[0]);
      long from = log.horizonLsn();
      Future<Long> slow = readers.submit(() -> read(cache, from, MESSAGES / 2 + found[0]));
      Future<Long> quick = readers.submit(() -> read(cache, from, MESSAGES + found[0]));
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(MESSAGE_MAX);
        long lsn = from;
        for (int i = 0; i < MESSAGES; i++) {
          byte[] message = ("message " + i).getBytes(StandardCharsets.UTF_8);
          MemorySegment.copy(message, 0, memory, ValueLayout.JAVA_BYTE, 0, message.length);
          lsn = log.append(memory.asSlice(0, message.length));
        }
        log.sync(lsn); // one write for all of them; they are acknowledged now, and read
      }
      long slowest = Math.min(slow.get(), quick.get());
      log.truncate(slowest); // before it the queue needs nothing
      IO.println("kept for the slow reader: " + (log.endLsn() - slowest) + " bytes");
    }
  }

  /** Returns where the reader is then. */
  private static long read(LogReadCache cache, long from, int count) throws IOException {
    try (LogCursor cursor = cache.open(from, LogDurability.SYNCED, PayloadCheck.NONE);
        Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(MESSAGE_MAX);
      int read = 0;
      while (read < count) {
        if (cursor.next(memory) != LogCursor.END) {
          read++;
        } else if (!cursor.await(Duration.ofMinutes(1).toNanos())) {
          throw new AssertionError("no message came");
        }
      }
      return cursor.lsn();
    }
  }
}
