package io.ewok.gds.bench;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What does it take to find a page in the pool by its number, and to read eight bytes of it? The
 * rivals find a page of the same size by the same number in a map on the heap, and read the same
 * bytes; they could neither evict it nor keep others from changing it.
 *
 * <p>{@code ./gds bench micro PoolHitBenchmark -prof gc}
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class PoolHitBenchmark {
  /** Marks the methods in which each thread has a pool of its own. */
  private static final String OWN = "Own";

  private static final String BLOCK = "block";

  /** Pages as all threads have them, in our pool and in the rivals' maps. */
  @State(Scope.Benchmark)
  public static class Pages {
    /** Pages of 4 KiB: as much as a large cache of a processor has, or many times that. */
    @Param({"8192", "131072"})
    public int count = 8192;

    private ResidentPages resident;
    private LoadedBlockFile blocks;
    private Arena arena;
    private ConcurrentHashMap<Long, MemorySegment> map;
    private Cache<Long, MemorySegment> cache;

    /** Makes what the method needs. */
    @Setup
    public void open(BenchmarkParams params) throws IOException {
      open(params.getBenchmark());
    }

    void open(String method) throws IOException {
      AllocationSuite.polluteProfiles();
      if (method.endsWith("oncurrentHashMap") || method.endsWith("affeine")) {
        openMaps();
      } else if (!method.endsWith(OWN)) {
        resident = new ResidentPages(count);
        blocks = method.contains(BLOCK) ? resident.blocks() : null;
      }
    }

    private void openMaps() {
      arena = Arena.ofShared();
      MemorySegment memory = arena.allocate((long) count * ResidentPages.PAGE_BYTES, 4096);
      map = new ConcurrentHashMap<>();
      cache = Caffeine.newBuilder().maximumSize(2L * count).build();
      for (long page = 1; page <= count; page++) {
        MemorySegment bytes =
            memory.asSlice((page - 1) * ResidentPages.PAGE_BYTES, ResidentPages.PAGE_BYTES);
        bytes.set(ValueLayout.JAVA_LONG, ResidentPages.NUMBER_OFFSET, page);
        map.put(page, bytes.asReadOnly());
        cache.put(page, bytes.asReadOnly());
      }
    }

    /** Gives everything back. */
    @TearDown
    public void close() throws IOException {
      if (resident != null) {
        resident.close();
      }
      if (arena != null) {
        arena.close();
      }
    }
  }

  /** A thread that visits pages in an order of its own. */
  @State(Scope.Thread)
  public static class Visitor {
    private final Fix fix = new Fix();
    private long state;
    private int count;
    private ResidentPages own;
    private CachedPageFile file;
    private LoadedBlockFile blocks;

    /** Makes what the method needs. */
    @Setup
    public void open(Pages pages, BenchmarkParams params) throws IOException {
      open(pages, params.getBenchmark());
    }

    void open(Pages pages, String method) throws IOException {
      state = System.identityHashCode(this) | 1L;
      count = pages.count;
      if (method.endsWith(OWN)) {
        own = new ResidentPages(count);
        file = own.file;
      } else if (pages.resident != null) {
        file = pages.resident.file;
        blocks = pages.blocks;
      }
    }

    /** Gives everything back. */
    @TearDown
    public void close() throws IOException {
      if (own != null) {
        own.close();
      }
    }

    /** The next page: 1 to the number of pages, in an order without a pattern. */
    private long next() {
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      return visited();
    }

    long visited() {
      return 1 + (state & count - 1);
    }
  }

  /** Ours, without keeping anybody from changing or evicting the page. */
  @Benchmark
  public long optimistic(Pages pages, Visitor visitor) throws IOException {
    return readOptimistically(visitor);
  }

  /** Ours, together with others who read. */
  @Benchmark
  public long shared(Pages pages, Visitor visitor) throws IOException {
    return readShared(visitor);
  }

  /** As {@link #optimistic}, from the page's segment. */
  @Benchmark
  public long optimisticSegment(Pages pages, Visitor visitor) throws IOException {
    long page = visitor.next();
    Fix fix = visitor.fix;
    while (true) {
      visitor.file.fixOptimistic(page, fix);
      long number = number(fix.segment());
      boolean valid = fix.validate();
      fix.unfix();
      if (valid) {
        return number;
      }
    }
  }

  /** Ours, alone. */
  @Benchmark
  public long exclusive(Pages pages, Visitor visitor) throws IOException {
    visitor.file.fixExclusive(visitor.next(), visitor.fix);
    long number = visitor.fix.getLong(ResidentPages.NUMBER_OFFSET);
    visitor.fix.unfix();
    return number;
  }

  /** The same with a block of a file of immutable ones. */
  @Benchmark
  public long block(Pages pages, Visitor visitor) throws IOException {
    long offset = visitor.next() * ResidentPages.PAGE_BYTES;
    visitor.blocks.fix(offset, ResidentPages.PAGE_BYTES, ResidentPages.PAGE_BYTES, visitor.fix);
    long number = visitor.fix.getLong(ResidentPages.NUMBER_OFFSET);
    visitor.fix.unfix();
    return number;
  }

  /** A block without keeping anybody from evicting it. */
  @Benchmark
  public long blockOptimistic(Pages pages, Visitor visitor) throws IOException {
    long offset = visitor.next() * ResidentPages.PAGE_BYTES;
    Fix fix = visitor.fix;
    while (true) {
      visitor.blocks.fixOptimistic(offset, ResidentPages.PAGE_BYTES, ResidentPages.PAGE_BYTES, fix);
      long number = fix.getLong(ResidentPages.NUMBER_OFFSET);
      boolean valid = fix.validate();
      fix.unfix();
      if (valid) {
        return number;
      }
    }
  }

  /**
   * The same with a pool for each thread: what the machine gives threads without anything common.
   */
  @Benchmark
  public long optimisticOwn(Pages pages, Visitor visitor) throws IOException {
    return readOptimistically(visitor);
  }

  /** As {@link #optimisticOwn}, but latched. */
  @Benchmark
  public long sharedOwn(Pages pages, Visitor visitor) throws IOException {
    return readShared(visitor);
  }

  private static long readOptimistically(Visitor visitor) throws IOException {
    long page = visitor.next();
    Fix fix = visitor.fix;
    while (true) {
      visitor.file.fixOptimistic(page, fix);
      long number = fix.getLong(ResidentPages.NUMBER_OFFSET);
      boolean valid = fix.validate();
      fix.unfix();
      if (valid) {
        return number;
      }
    }
  }

  private static long readShared(Visitor visitor) throws IOException {
    visitor.file.fixShared(visitor.next(), visitor.fix);
    long number = visitor.fix.getLong(ResidentPages.NUMBER_OFFSET);
    visitor.fix.unfix();
    return number;
  }

  /** Rival: the JDK's map, which never evicts. */
  @Benchmark
  public long concurrentHashMap(Pages pages, Visitor visitor) {
    return number(pages.map.get(visitor.next()));
  }

  /** Rival: a cache of bounded size, which never has to evict here. */
  @Benchmark
  public long caffeine(Pages pages, Visitor visitor) {
    return number(pages.cache.getIfPresent(visitor.next()));
  }

  private static long number(MemorySegment page) {
    return page.get(ValueLayout.JAVA_LONG, ResidentPages.NUMBER_OFFSET);
  }
}
