package io.ewok.gds.allocator;

import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One mapping of anonymous memory, zero at first, charged to a budget. Regions are few and large:
 * mapping one takes system calls, closing one stops the world of the accessing threads for some 100
 * µs. One region is one registered buffer of io_uring, hence {@link #SIZE_BYTES_MAX}.
 *
 * <p>Ownership: whoever maps a region closes it. Before that, everything that was allocated in it
 * must be unused; segments that are used later throw {@link IllegalStateException}.
 *
 * <p>Leases: memory that the kernel reads or writes asynchronously must stay mapped although no
 * Java thread is in it. The page store takes a lease for each operation in flight, and for each
 * registration; {@link #close} is refused while there is one.
 *
 * <p>Threads: any, for all methods.
 */
public final class Region implements AutoCloseable {
  /** The largest region, in bytes: 1 GiB, the most that the kernel registers as one buffer. */
  public static final long SIZE_BYTES_MAX = 1L << 30;

  private static final long HUGE_PAGE_BYTES = 2L << 20;

  /** Value of {@link #leases} after close. */
  private static final int CLOSED = -1;

  static {
    RegionLeases.install(
        new RegionLeases() {
          @Override
          protected void lease(Region region) {
            region.lease();
          }

          @Override
          protected void unlease(Region region) {
            region.unlease();
          }
        });
  }

  private final MemoryBudget budget;
  private final Arena arena;
  private final MemorySegment segment;
  private final boolean hugePagesAdvised;

  /**
   * Operations in flight, or {@link #CLOSED}. Close moves 0 to CLOSED, so the two never overlap.
   */
  private final AtomicInteger leases = new AtomicInteger();

  private Region(
      MemoryBudget budget, Arena arena, MemorySegment segment, boolean hugePagesAdvised) {
    this.budget = budget;
    this.arena = arena;
    this.segment = segment;
    this.hugePagesAdvised = hugePagesAdvised;
  }

  /**
   * Maps a region. It starts at a multiple of 2 MiB if it is at least that large, else at a page of
   * the operating system.
   *
   * @throws BudgetExceededException if the budget has no room
   * @throws UncheckedIOException if the kernel refuses the mapping; nothing stays reserved
   */
  public static Region map(MemoryBudget budget, RegionOptions options) {
    Objects.requireNonNull(options, "options");
    long sizeBytes = roundUp(options.sizeBytes(), LinuxMemory.pageSizeBytes());
    budget.reserve(sizeBytes);
    Arena arena = Arena.ofShared();
    Region region = null;
    try {
      region = map(budget, options, sizeBytes, arena);
      return region;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot map memory: sizeBytes=" + sizeBytes, e);
    } finally {
      if (region == null) {
        arena.close();
        budget.release(sizeBytes);
      }
    }
  }

  private static Region map(MemoryBudget budget, RegionOptions options, long sizeBytes, Arena arena)
      throws IOException {
    boolean large = sizeBytes >= HUGE_PAGE_BYTES;
    long alignmentBytes = large ? HUGE_PAGE_BYTES : LinuxMemory.pageSizeBytes();
    MemorySegment segment = LinuxMemory.map(sizeBytes, alignmentBytes, arena);
    // Advice comes before the first touch: a page that exists already stays small.
    boolean advised = large && options.hugePages() == HugePages.AUTO && advise(segment);
    if (options.populate()) {
      LinuxMemory.populate(segment);
    }
    return new Region(budget, arena, segment, advised);
  }

  /** Returns whether the kernel took the advice; one built without huge pages does not. */
  private static boolean advise(MemorySegment segment) {
    try {
      LinuxMemory.adviseHugePages(segment);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Returns the memory; its scope ends with {@link #close}. */
  public MemorySegment segment() {
    return segment;
  }

  /** Returns the address of the first byte. Nothing guards what is done with it after close. */
  public long address() {
    return segment.address();
  }

  /** Returns the size in bytes, whole pages of the operating system. */
  public long sizeBytes() {
    return segment.byteSize();
  }

  /** Returns whether the kernel took the advice to use transparent huge pages here. */
  public boolean hugePagesAdvised() {
    return hugePagesAdvised;
  }

  /**
   * Keeps the region mapped until the matching {@link #unlease}: an operation starts that only the
   * kernel sees.
   *
   * @throws IllegalStateException if the region is closed
   */
  void lease() {
    int count;
    do {
      count = leases.get();
      if (count == CLOSED) {
        throw new IllegalStateException("the region is closed");
      }
    } while (!leases.compareAndSet(count, count + 1));
  }

  /**
   * Ends one lease: its operation has completed.
   *
   * @throws IllegalStateException if there is no lease
   */
  void unlease() {
    int count;
    do {
      count = leases.get();
      if (count <= 0) {
        throw new IllegalStateException("the region is not leased");
      }
    } while (!leases.compareAndSet(count, count - 1));
  }

  /**
   * Unmaps the memory and gives it back to the budget. Closing twice does nothing.
   *
   * @throws IllegalStateException if the region is leased, or a native call is using it just now;
   *     it stays open
   */
  @Override
  public void close() {
    if (!leases.compareAndSet(0, CLOSED)) {
      int count = leases.get();
      if (count == CLOSED) {
        return;
      }
      throw new IllegalStateException("operations in flight use the region: leases=" + count);
    }
    long sizeBytes = segment.byteSize();
    try {
      arena.close();
    } catch (IllegalStateException inUse) {
      // A segment of the region is an argument of a native call, such as a channel's write.
      leases.set(0);
      throw inUse;
    }
    budget.release(sizeBytes);
  }

  private static long roundUp(long bytes, long multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
  }
}
