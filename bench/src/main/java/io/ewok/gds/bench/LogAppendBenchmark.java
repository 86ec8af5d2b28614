package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.wal.LogFullException;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it take to append a record to the log, without waiting for the device? Copies into
 * files in memory are part of it, where the machine has a directory for such. The rival only copies
 * the record and takes its checksum, with nobody to share the place with.
 *
 * <p>{@code ./gds bench micro LogAppendBenchmark -p bytes=100,200 -prof gc}
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class LogAppendBenchmark {
  private static final Path IN_MEMORY = Path.of("/dev/shm");
  private static final LogOptions OPTIONS =
      LogOptions.defaults().withSegmentBytes(64 << 20).withSegmentCount(4).withBufferBytes(4 << 20);

  /** The log that all threads append to. */
  @State(Scope.Benchmark)
  public static class Log {
    private final ReentrantLock truncating = new ReentrantLock();
    private Path directory;
    private IoEngine engine;
    private WriteAheadLog log;

    /** Opens a log that is new. */
    @Setup
    public void open() throws IOException {
      directory =
          Files.isWritable(IN_MEMORY)
              ? ScratchDirectories.create(IN_MEMORY, "gds-bench-log-")
              : ScratchDirectories.create("gds-bench-log-");
      engine = IoEngines.open(EngineOptions.defaults());
      log =
          WriteAheadLog.open(
              engine,
              directory.resolve("log"),
              OPTIONS,
              MemoryBudget.root("bench", OPTIONS.memoryBytes()),
              (lsn, record) -> {});
    }

    long append(MemorySegment record) throws IOException {
      while (true) {
        try {
          return log.append(record);
        } catch (LogFullException e) {
          forget();
        }
      }
    }

    /** Nobody needs what was appended. */
    private void forget() throws IOException {
      truncating.lock();
      try {
        if (log.spaceLeftBytes() < OPTIONS.segmentBytes()) {
          log.sync(log.endLsn());
          log.truncate(log.durableLsn());
        }
      } finally {
        truncating.unlock();
      }
    }

    /** Deletes the log. */
    @TearDown
    public void close() throws IOException {
      log.close();
      engine.close();
      ScratchDirectories.delete(directory);
    }
  }

  /** A thread with its record, and what the rival copies it to. */
  @State(Scope.Thread)
  public static class Writer {
    private static final int BLOCK_BYTES = 4 << 20;

    /** Length of a record. */
    @Param("128")
    public int bytes = 128;

    private Arena arena;
    private MemorySegment record;
    private MemorySegment block;
    private ByteBuffer blockBytes;
    private int end;
    private final CRC32C crc = new CRC32C();

    /** Fills the record. */
    @Setup
    public void open() {
      AllocationSuite.polluteProfiles();
      arena = Arena.ofShared();
      record = arena.allocate(bytes).fill((byte) 7);
      block = arena.allocate(BLOCK_BYTES, 4096).fill((byte) 0);
      blockBytes = block.asByteBuffer();
    }

    /** Gives the memory back. */
    @TearDown
    public void close() {
      arena.close();
    }
  }

  /** Ours. */
  @Benchmark
  public long append(Log log, Writer writer) throws IOException {
    writer.record.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, writer.end++);
    return log.append(writer.record);
  }

  /** Rival: what has to be done at least. */
  @Benchmark
  public long copyAndChecksum(Writer writer) {
    int length = writer.bytes;
    if (writer.end + length > Writer.BLOCK_BYTES) {
      writer.end = 0;
    }
    MemorySegment.copy(writer.record, 0, writer.block, writer.end, length);
    writer.crc.reset();
    writer.crc.update(writer.blockBytes.limit(writer.end + length).position(writer.end));
    writer.end += length;
    return writer.crc.getValue();
  }
}
