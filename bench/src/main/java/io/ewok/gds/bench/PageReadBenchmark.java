package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How many random 4 KiB reads a second does one thread get from the device, past the page cache?
 * The rival is the JDK's {@link FileChannel} with direct I/O, which can have one read in flight.
 *
 * <p>{@code ./gds bench micro PageReadBenchmark -p directory=/path/on/the/device}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(3)
public class PageReadBenchmark {
  static final int PAGE_BYTES = 4096;

  /** Reads in flight of the batched methods. */
  static final int DEPTH = 32;

  private static final int CHUNK_BYTES = 1 << 20;

  /** Where the file of {@link #fileMebibytes} is made; empty: the folder for temporary files. */
  @Param("")
  public String directory = "";

  /** Size of the file. */
  @Param("1024")
  public int fileMebibytes = 1024;

  private final SplittableRandom random = new SplittableRandom(42);
  private final IoRequest[] requests = new IoRequest[DEPTH];
  private Path path;
  private long pageCount;
  private Region region;
  private IoEngine uring;
  private IoEngine pool;
  private IoFile uringFile;
  private IoFile poolFile;
  private FileChannel channel;
  private ByteBuffer channelBuffer;

  /** Writes the file with random bytes and opens it three times. */
  @Setup
  public void open() throws IOException {
    path =
        directory.isEmpty()
            ? Files.createTempFile("gds-bench", ".pages")
            : Files.createTempFile(Path.of(directory), "gds-bench", ".pages");
    pageCount = ((long) fileMebibytes << 20) / PAGE_BYTES;
    MemoryBudget budget = MemoryBudget.root("bench", 64 << 20);
    region = Region.map(budget, RegionOptions.ofSize(CHUNK_BYTES).withPrefaultThreads(1));
    uring = IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.URING));
    pool = IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL));
    uring.register(region);
    fill();
    uringFile = uring.open(path, OpenMode.READ_ONLY);
    poolFile = pool.open(path, OpenMode.READ_ONLY);
    channel = FileChannel.open(path, StandardOpenOption.READ, direct());
    channelBuffer = ByteBuffer.allocateDirect(2 * PAGE_BYTES).alignedSlice(PAGE_BYTES);
    for (int i = 0; i < DEPTH; i++) {
      requests[i] = new IoRequest();
    }
  }

  private void fill() throws IOException {
    byte[] chunk = new byte[CHUNK_BYTES];
    try (IoFile file = uring.open(path, OpenMode.READ_WRITE)) {
      for (long at = 0; at < pageCount * PAGE_BYTES; at += CHUNK_BYTES) {
        random.nextBytes(chunk);
        region.segment().asByteBuffer().put(chunk);
        file.write(at, region, 0, CHUNK_BYTES);
      }
      file.sync();
    }
  }

  /** The JDK's option is in a package whose use the compiler warns about. */
  private static OpenOption direct() {
    try {
      for (Object option :
          Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
        if (option.toString().equals("DIRECT")) {
          return (OpenOption) option;
        }
      }
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
    throw new IllegalStateException("this JDK has no direct I/O");
  }

  /** Closes and deletes everything. */
  @TearDown
  public void close() throws IOException {
    channel.close();
    uring.close();
    pool.close();
    region.close();
    Files.delete(path);
  }

  /** Ours: io_uring, 32 reads a batch. */
  @Benchmark
  @OperationsPerInvocation(DEPTH)
  public long uringBatch() throws IOException {
    return batch(uring, uringFile);
  }

  /** Ours where io_uring is forbidden: threads, 32 reads a batch. */
  @Benchmark
  @OperationsPerInvocation(DEPTH)
  public long poolBatch() throws IOException {
    return batch(pool, poolFile);
  }

  /** Ours, one read at a time. */
  @Benchmark
  public long single() throws IOException {
    return uringFile.read(randomOffset(), region, 0, PAGE_BYTES);
  }

  /** Rival: a file channel, one read at a time. */
  @Benchmark
  public long fileChannel() throws IOException {
    channelBuffer.clear().limit(PAGE_BYTES);
    return channel.read(channelBuffer, randomOffset());
  }

  private long batch(IoEngine engine, IoFile file) throws IOException {
    for (int i = 0; i < DEPTH; i++) {
      requests[i].prepareRead(file, randomOffset(), region, (long) i * PAGE_BYTES, PAGE_BYTES);
    }
    engine.submitAll(requests, DEPTH);
    long bytes = 0;
    for (IoRequest request : requests) {
      bytes += request.await();
    }
    return bytes;
  }

  private long randomOffset() {
    return random.nextLong(pageCount) * PAGE_BYTES;
  }
}
