package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/** Who makes records durable. */
enum LogContender {
  /** Our log; a single writer is a thread, several are fibers of the engine's reactor. */
  OURS("log") {
    @Override
    CommitLoad.Sample run(Path directory, int writers, long watchedNanos)
        throws IOException, InterruptedException {
      LogOptions options =
          LogOptions.defaults().withSegmentBytes(SEGMENT_BYTES).withSegmentCount(SEGMENTS);
      try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
          WriteAheadLog log =
              WriteAheadLog.open(
                  engine,
                  directory.resolve("log"),
                  options,
                  MemoryBudget.root("bench", options.memoryBytes()),
                  (lsn, record) -> {})) {
        MemorySegment record = MemorySegment.ofArray(new byte[RECORD_BYTES]);
        CommitLoad.Starter starter =
            writers == 1 || engine.reactors().isEmpty()
                ? LogContender::startThread
                : fibers(engine.reactors().getFirst());
        return new CommitLoad()
            .run(
                writers,
                starter,
                writer -> {
                  log.sync(log.append(record));
                  if (writer == 0 && log.endLsn() - log.horizonLsn() > KEPT_BYTES) {
                    log.truncate(log.durableLsn());
                  }
                },
                watchedNanos);
      }
    }
  },

  /** What the device can do: one thread that overwrites blocks and waits for each. */
  DEVICE("overwrite loop") {
    @Override
    CommitLoad.Sample run(Path directory, int writers, long watchedNanos)
        throws IOException, InterruptedException {
      int chunk = 1 << 20;
      try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
          Region region =
              Region.map(MemoryBudget.root("bench", chunk), RegionOptions.ofSize(chunk));
          IoFile file = engine.open(directory.resolve("overwritten"), OpenMode.CREATE_NEW)) {
        if (!file.isDirect()) {
          throw new IOException(
              "there is no direct I/O here, name a directory on a disk by --directory: path="
                  + file.path());
        }
        region.segment().fill((byte) 0x5A);
        for (long at = 0; at < SEGMENT_BYTES; at += chunk) {
          file.write(at, region, 0, chunk);
        }
        file.sync();
        long[] next = new long[1];
        return new CommitLoad()
            .run(
                1,
                LogContender::startThread,
                writer -> {
                  file.writeSynced(next[0], region, 0, BLOCK_BYTES);
                  next[0] = (next[0] + BLOCK_BYTES) % SEGMENT_BYTES;
                },
                watchedNanos);
      }
    }
  },

  /** RocksDB as it comes, with threads that write with sync. */
  ROCKSDB("RocksDB") {
    @Override
    CommitLoad.Sample run(Path directory, int writers, long watchedNanos)
        throws IOException, InterruptedException {
      RocksDB.loadLibrary();
      try (Options options = new Options().setCreateIfMissing(true);
          WriteOptions synced = new WriteOptions().setSync(true);
          RocksDB rocks = RocksDB.open(options, directory.resolve("rocksdb").toString())) {
        long[] next = new long[writers];
        return new CommitLoad()
            .run(
                writers,
                LogContender::startThread,
                writer -> {
                  ByteBuffer key = ByteBuffer.allocate(Long.BYTES);
                  key.putLong(next[writer]++ * writers + writer);
                  rocks.put(synced, key.array(), new byte[RECORD_BYTES - Long.BYTES]);
                },
                watchedNanos);
      } catch (RocksDBException e) {
        throw new IOException("RocksDB failed: directory=" + directory, e);
      }
    }
  };

  static final int RECORD_BYTES = 128;
  private static final int BLOCK_BYTES = 4096;
  private static final long SEGMENT_BYTES = 64L << 20;
  private static final int SEGMENTS = 4;
  private static final long KEPT_BYTES = SEGMENTS * SEGMENT_BYTES / 2;

  final String label;

  LogContender(String label) {
    this.label = label;
  }

  /**
   * Runs with everything made anew.
   *
   * @param directory an empty one
   * @return what was seen of all writers together
   */
  abstract CommitLoad.Sample run(Path directory, int writers, long watchedNanos)
      throws IOException, InterruptedException;

  /** Runs in a directory of its own in this one, and leaves nothing behind. */
  final CommitLoad.Sample measure(Path parent, int writers, long watchedNanos)
      throws IOException, InterruptedException {
    Path directory = ScratchDirectories.create(parent, "gds-bench-log-");
    try {
      return run(directory, writers, watchedNanos);
    } finally {
      ScratchDirectories.delete(directory);
    }
  }

  private static FutureTask<?> startThread(Runnable body) {
    FutureTask<?> task = new FutureTask<>(body, null);
    Thread.ofPlatform().start(task);
    return task;
  }

  private static CommitLoad.Starter fibers(Reactor reactor) {
    return body -> reactor.submit(Executors.callable(body));
  }
}
