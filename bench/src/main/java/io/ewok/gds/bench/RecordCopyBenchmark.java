package io.ewok.gds.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
 * Does it help to touch the cache lines of the next record while one is copied and checked? Java
 * has no prefetch instruction; a load whose value is needed late is the nearest to one. The records
 * lie in pages that are in no cache, in no order, as those of many readers are.
 *
 * <p>{@code ./gds bench micro RecordCopyBenchmark}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class RecordCopyBenchmark {
  private static final int PAGE_BYTES = 4096;
  private static final int HEADER_BYTES = 24;
  private static final int LINE_BYTES = 64;

  /** Content of a record. */
  @Param({"100", "500"})
  public int bytes = 100;

  /** All pages: more than any cache has. */
  @Param("256")
  public int mebibytes = 256;

  private Arena arena;
  private MemorySegment pages;
  private MemorySegment copy;
  private ByteBuffer view;
  private int[] order;
  private final CRC32C crc = new CRC32C();

  private int turn;
  private long page;
  private int offset = PAGE_BYTES;

  /** What the touches load: kept, so that they are not left out. */
  private long touched;

  /** Makes the pages. */
  @Setup
  public void open() {
    arena = Arena.ofConfined();
    int count = mebibytes * ((1 << 20) / PAGE_BYTES);
    pages = arena.allocate((long) count * PAGE_BYTES, PAGE_BYTES);
    copy = arena.allocate(bytes);
    view = copy.asByteBuffer();
    order = new int[count];
    SplittableRandom random = new SplittableRandom(count);
    for (int i = 0; i < count; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
      pages.set(ValueLayout.JAVA_LONG, (long) i * PAGE_BYTES, random.nextLong());
    }
  }

  /** Gives the pages back. */
  @TearDown
  public void close() {
    arena.close();
  }

  /** Copies the next record and checks the copy. */
  @Benchmark
  public long plain() {
    return copyAndCheck(next());
  }

  /** The same, the lines of the record behind it touched first. */
  @Benchmark
  public long touchAhead() {
    long at = next();
    long end = Math.min(at + 2L * (HEADER_BYTES + bytes), page + PAGE_BYTES);
    for (long line = at + HEADER_BYTES + bytes; line < end; line += LINE_BYTES) {
      touched += pages.get(ValueLayout.JAVA_BYTE, line);
    }
    return copyAndCheck(at) ^ (touched & 1);
  }

  /** The same, all lines of a page touched when its first record is asked for. */
  @Benchmark
  public long touchPage() {
    long at = next();
    if (at == page) {
      for (long line = at; line < at + PAGE_BYTES; line += LINE_BYTES) {
        touched += pages.get(ValueLayout.JAVA_BYTE, line);
      }
    }
    return copyAndCheck(at) ^ (touched & 1);
  }

  private long next() {
    int extent = HEADER_BYTES + bytes;
    if (offset + extent > PAGE_BYTES) {
      page = (long) order[turn] * PAGE_BYTES;
      turn = turn + 1 == order.length ? 0 : turn + 1;
      offset = 0;
    }
    long at = page + offset;
    offset += extent;
    return at;
  }

  private long copyAndCheck(long at) {
    MemorySegment.copy(pages, at + HEADER_BYTES, copy, 0, bytes);
    crc.reset();
    crc.update(view.clear());
    return crc.getValue();
  }
}
