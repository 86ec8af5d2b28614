package io.ewok.gds.allocator;

import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One mapping of anonymous memory, zero at first, charged to a budget. Regions are few and large:
 * mapping one takes system calls, closing one stops the world of the accessing threads for some 100
 * µs. One region is one registered buffer of io_uring, hence {@link #SIZE_BYTES_MAX}.
 *
 * <p>There are two kinds. A <em>mapped</em> region is memory, and charged, from end to end and from
 * the start; {@link #trim} gives what is not needed back to the system, but it stays charged. A
 * <em>reserved</em> region is address space; its memory comes with {@link #commit} and goes with
 * {@link #decommit}, and only that is charged. Memory of it that is used without being committed is
 * charged to nobody: a mistake of whoever does it.
 *
 * <p>Ownership: whoever maps a region closes it. Before that, everything that was allocated in it
 * must be unused; segments that are used later throw {@link IllegalStateException}.
 *
 * <p>Leases: memory that the kernel reads or writes asynchronously must stay in place although no
 * Java thread is in it. The page store says so for each operation in flight and for each
 * registration with a ring, and what would take the memory away is refused ({@link RegionLeases}).
 *
 * <p>Threads: any, for all methods.
 *
 * <pre>{@code
 * try (Region region = Region.reserve(budget, RegionOptions.ofSize(1L << 30))) {
 *   if (region.commit(0, Region.UNIT_BYTES)) {
 *     region.segment().set(JAVA_LONG, 0, 42);
 *     region.decommit(0, Region.UNIT_BYTES);
 *   }
 * }
 * }</pre>
 *
 * <p>Errors: {@link IllegalStateException} for what the region's state forbids, {@link
 * UncheckedIOException} for what the kernel refuses. Neither changes anything.
 */
public final class Region implements AutoCloseable {
  /** The largest region, in bytes: 1 GiB, the most that the kernel registers as one buffer. */
  public static final long SIZE_BYTES_MAX = 1L << 30;

  /** The size of a huge page, in bytes: 2 MiB. Memory is given back in multiples of it. */
  public static final long UNIT_BYTES = 2L << 20;

  static {
    RegionLeases.install(
        new RegionLeases() {
          @Override
          protected void lease(Region region, long offset, long bytes) {
            region.lease(offset, bytes);
          }

          @Override
          protected void unlease(Region region, long offset, long bytes) {
            region.unlease(offset, bytes);
          }

          @Override
          protected void addRegistration(Region region) {
            region.addRegistration();
          }

          @Override
          protected void removeRegistration(Region region) {
            region.removeRegistration();
          }
        });
  }

  /*
   * The state is `use`: how many operations are in flight, or that somebody has the region for
   * himself.
   *
   *              lease                      attach, trim, decommit, close
   *         .------------->  n > 0     .------------------------------------> EXCLUSIVE
   *      0 -'                  |    0 -'                                       |     |
   *      ^------- unlease -----'    ^----- attach, trim, decommit (done), -----'     | close
   *                                        close (a native call is inside)           v
   *                                                                                CLOSED
   *
   * EXCLUSIVE is held only inside the lock, so whoever meets it waits for the lock. All else that
   * changes the memory (commit, decommit, trim, close) or forbids that (register, seal) holds the
   * lock too, and so excludes the others; only lease and unlease do without.
   */

  /** Value of {@link #use}: nobody may start an operation just now. */
  private static final int EXCLUSIVE = -1;

  /** Value of {@link #use} after close. */
  private static final int CLOSED = -2;

  private final MemoryBudget budget;
  private final RegionMapping mapping;
  private final long unitBytes;

  /** Null in a mapped region. */
  private final CommittedUnits units;

  private final AtomicInteger use = new AtomicInteger();
  private final ReentrantLock lock = new ReentrantLock();

  /** Written in EXCLUSIVE, read with a lease: the two change {@link #use}, which orders them. */
  private FrameLeases frameLeases;

  // Guarded by lock.

  private int registrations;
  private boolean sealed;

  private Region(MemoryBudget budget, RegionMapping mapping, long unitBytes, CommittedUnits units) {
    this.budget = budget;
    this.mapping = mapping;
    this.unitBytes = unitBytes;
    this.units = units;
  }

  /**
   * Maps a region that is memory from end to end. It starts at a multiple of 2 MiB if it is at
   * least that large, else at a page of the operating system.
   *
   * @throws BudgetExceededException if the budget has no room
   * @throws UncheckedIOException if the kernel refuses the memory or its locking, or the thread is
   *     interrupted while memory is touched; nothing stays charged
   */
  public static Region map(MemoryBudget budget, RegionOptions options) {
    long sizeBytes = roundUp(options.sizeBytes(), LinuxMemory.pageSizeBytes());
    budget.reserve(sizeBytes);
    Region region = null;
    try {
      region = new Region(budget, RegionMapping.map(options, sizeBytes), unitBytes(options), null);
      return region;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot map memory: sizeBytes=" + sizeBytes, e);
    } finally {
      if (region == null) {
        budget.release(sizeBytes);
      }
    }
  }

  /**
   * Reserves address space, none of which is memory or charged yet.
   *
   * @throws UncheckedIOException if the kernel refuses
   */
  public static Region reserve(MemoryBudget budget, RegionOptions options) {
    Objects.requireNonNull(budget, "budget");
    long unitBytes = unitBytes(options);
    long sizeBytes = roundUp(options.sizeBytes(), unitBytes);
    try {
      RegionMapping mapping = RegionMapping.reserve(options, sizeBytes);
      return new Region(budget, mapping, unitBytes, new CommittedUnits(sizeBytes, unitBytes));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot reserve memory: sizeBytes=" + sizeBytes, e);
    }
  }

  private static long unitBytes(RegionOptions options) {
    return options.hugePages() == HugePages.OFF ? LinuxMemory.pageSizeBytes() : UNIT_BYTES;
  }

  private static long roundUp(long bytes, long multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
  }

  // ---------------------------------------------------------------- what it is

  /** Returns the memory; its scope ends with {@link #close}. */
  public MemorySegment segment() {
    return mapping.segment();
  }

  /** Returns the address of the first byte. Nothing guards what is done with it after close. */
  public long address() {
    return segment().address();
  }

  /** Returns the size in bytes, whole pages of the operating system. */
  public long sizeBytes() {
    return segment().byteSize();
  }

  /** Returns how many bytes are charged to the budget for being memory. */
  public long committedBytes() {
    return units == null ? sizeBytes() : units.bytes();
  }

  /**
   * Returns the unit of {@link #commit} and {@link #decommit}, in bytes: {@link #UNIT_BYTES}, or a
   * page of the operating system if huge pages are {@link HugePages#OFF}.
   */
  public long unitBytes() {
    return unitBytes;
  }

  /** Returns which pages were asked for and which there are. */
  public PageBacking pages() {
    return mapping.pages();
  }

  // ---------------------------------------------------------------- memory that comes and goes

  /**
   * Makes memory of a part of a reserved region, and charges it. Of the parts that are committed
   * none is committed again.
   *
   * @param offset of the first byte, a multiple of {@link #unitBytes}
   * @param bytes a multiple of {@link #unitBytes}
   * @return false, with nothing changed, if the budget has no room
   * @throws IllegalStateException if the region is not a reserved one, is sealed or closed, or some
   *     of the range is committed
   * @throws UncheckedIOException if the kernel refuses the memory or its locking, or the thread is
   *     interrupted while memory is touched
   */
  public boolean commit(long offset, long bytes) {
    requireReserved();
    requireWhole(offset, bytes, unitBytes);
    if (!budget.tryReserve(bytes)) {
      return false;
    }
    boolean committed = false;
    lock.lock();
    try {
      requireChangeable();
      if (!units.all(false, offset, bytes)) {
        throw new IllegalStateException(
            "some of the range is committed already: offset=%d bytes=%d".formatted(offset, bytes));
      }
      provide(offset, bytes);
      units.set(true, offset, bytes);
      committed = true;
      return true;
    } finally {
      lock.unlock();
      if (!committed) {
        budget.release(bytes);
      }
    }
  }

  private void provide(long offset, long bytes) {
    boolean provided = false;
    try {
      mapping.provide(offset, bytes);
      provided = true;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot commit memory: offset=%d bytes=%d".formatted(offset, bytes), e);
    } finally {
      if (!provided) {
        discard(offset, bytes);
      }
    }
  }

  /**
   * Gives a committed part of a reserved region back, to the system and to the budget. It reads as
   * zero from now on. In a region that an allocator has attached itself to, the allocator vouches
   * that no operation uses the range; in any other there may be no operation at all.
   *
   * @param offset of the first byte, a multiple of {@link #unitBytes}
   * @param bytes a multiple of {@link #unitBytes}
   * @throws IllegalStateException if the region is not a reserved one, is sealed, closed,
   *     registered or in use by operations in flight, or some of the range is not committed
   */
  public void decommit(long offset, long bytes) {
    requireReserved();
    requireWhole(offset, bytes, unitBytes);
    lock.lock();
    try {
      requireChangeable();
      requireUnregistered();
      requireCommitted(offset, bytes);
      boolean exclusive = frameLeases == null;
      if (exclusive) {
        excludeOperations();
      }
      try {
        discard(offset, bytes);
        units.set(false, offset, bytes);
      } finally {
        if (exclusive) {
          use.set(0);
        }
      }
    } finally {
      lock.unlock();
    }
    budget.release(bytes);
  }

  /**
   * Gives memory that holds nothing of value back to the system. It reads as zero from now on. A
   * mapped region stays charged for it and gets it again when it is touched; of a reserved region
   * it is a {@link #decommit}.
   *
   * @param offset of the first byte, a multiple of {@link #UNIT_BYTES}
   * @param bytes a multiple of {@link #UNIT_BYTES}
   * @throws IllegalStateException if the region is sealed, closed, registered or in use by
   *     operations in flight, locked, or made of explicit huge pages
   */
  public void trim(long offset, long bytes) {
    requireWhole(offset, bytes, UNIT_BYTES);
    if (units != null) {
      decommit(offset, bytes);
      return;
    }
    lock.lock();
    try {
      requireChangeable();
      requireUnregistered();
      if (mapping.keepsItsPages()) {
        throw new IllegalStateException(
            "locked memory and explicit huge pages stay until the region is closed: pages="
                + pages());
      }
      excludeOperations();
      try {
        discard(offset, bytes);
      } finally {
        use.set(0);
      }
    } finally {
      lock.unlock();
    }
  }

  private void discard(long offset, long bytes) {
    try {
      mapping.discard(offset, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot give memory back: offset=%d bytes=%d".formatted(offset, bytes), e);
    }
  }

  /**
   * Fixes what is memory: from now on {@link #commit}, {@link #decommit} and {@link #trim} are
   * refused. Sealing twice does nothing.
   *
   * @throws IllegalStateException if the region is closed
   */
  public void seal() {
    lock.lock();
    try {
      requireOpen();
      sealed = true;
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- leases

  /**
   * Makes an allocator the one that is told of operations, for the life of the region.
   *
   * @throws IllegalStateException if there is one already, operations are in flight, or the region
   *     is closed
   */
  void attach(FrameLeases leases) {
    Objects.requireNonNull(leases, "leases");
    lock.lock();
    try {
      excludeOperations();
      try {
        if (frameLeases != null) {
          throw new IllegalStateException("the region has an allocator: leases=" + frameLeases);
        }
        frameLeases = leases;
      } finally {
        use.set(0);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Keeps bytes in place until the matching {@link #unlease}: an operation starts that only the
   * kernel sees.
   *
   * @throws IllegalStateException if the region is closed, or some of the bytes are not committed
   */
  void lease(long offset, long bytes) {
    Objects.checkFromIndexSize(offset, bytes, sizeBytes());
    enter();
    boolean leased = false;
    try {
      requireCommitted(offset, bytes);
      if (frameLeases != null && bytes > 0) {
        frameLeases.leased(offset, bytes);
      }
      leased = true;
    } finally {
      if (!leased) {
        exit();
      }
    }
  }

  /**
   * Ends one lease: its operation has completed.
   *
   * @throws IllegalStateException if there is no lease
   */
  void unlease(long offset, long bytes) {
    if (use.get() <= 0) {
      throw new IllegalStateException("the region is not leased");
    }
    if (frameLeases != null && bytes > 0) {
      frameLeases.unleased(offset, bytes);
    }
    exit();
  }

  private void enter() {
    int count = use.get();
    while (count < 0 || !use.compareAndSet(count, count + 1)) {
      if (count < 0) {
        awaitEndOfExclusive();
      }
      count = use.get();
    }
  }

  private void awaitEndOfExclusive() {
    lock.lock();
    try {
      requireOpen();
    } finally {
      lock.unlock();
    }
  }

  private void exit() {
    int count;
    do {
      count = use.get();
      if (count <= 0) {
        throw new IllegalStateException("the region is not leased");
      }
    } while (!use.compareAndSet(count, count - 1));
  }

  /** Keeps all pages in place until the matching {@link #removeRegistration}. */
  void addRegistration() {
    lock.lock();
    try {
      requireOpen();
      if (committedBytes() != sizeBytes()) {
        throw new IllegalStateException(
            "only a region that is committed as a whole can be registered: committedBytes=%d sizeBytes=%d"
                .formatted(committedBytes(), sizeBytes()));
      }
      registrations++;
    } finally {
      lock.unlock();
    }
  }

  /** Ends one registration. */
  void removeRegistration() {
    lock.lock();
    try {
      if (registrations == 0) {
        throw new IllegalStateException("the region is not registered");
      }
      registrations--;
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- end

  /**
   * Unmaps the memory and gives it back to the budget. Closing twice does nothing.
   *
   * @throws IllegalStateException if the region is registered or leased, or a native call is using
   *     it just now; it stays open
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (use.get() == CLOSED) {
        return;
      }
      requireUnregistered();
      excludeOperations();
      boolean closed = false;
      try {
        // Refused if a segment of the region is an argument of a native call, such as a write.
        mapping.close();
        closed = true;
      } finally {
        use.set(closed ? CLOSED : 0);
      }
    } finally {
      lock.unlock();
    }
    budget.release(committedBytes());
  }

  // ---------------------------------------------------------------- checks

  /** Moves {@link #use} from 0 to EXCLUSIVE. The caller holds the lock and sets it back. */
  private void excludeOperations() {
    int count;
    do {
      count = use.get();
      if (count == CLOSED) {
        throw new IllegalStateException("the region is closed");
      }
      if (count > 0) {
        throw new IllegalStateException("operations in flight use the region: leases=" + count);
      }
    } while (!use.compareAndSet(0, EXCLUSIVE));
  }

  private void requireOpen() {
    if (use.get() == CLOSED) {
      throw new IllegalStateException("the region is closed");
    }
  }

  private void requireChangeable() {
    requireOpen();
    if (sealed) {
      throw new IllegalStateException("the region is sealed: sizeBytes=" + sizeBytes());
    }
  }

  private void requireUnregistered() {
    if (registrations > 0) {
      throw new IllegalStateException(
          "the region is registered with a ring: registrations=" + registrations);
    }
  }

  private void requireReserved() {
    if (units == null) {
      throw new IllegalStateException(
          "the region was mapped as a whole, not reserved: sizeBytes=" + sizeBytes());
    }
  }

  private void requireCommitted(long offset, long bytes) {
    if (units != null && !units.all(true, offset, bytes)) {
      throw new IllegalStateException(
          "some of the range is not committed: offset=%d bytes=%d".formatted(offset, bytes));
    }
  }

  private void requireWhole(long offset, long bytes, long multiple) {
    Objects.checkFromIndexSize(offset, bytes, sizeBytes());
    if (offset % multiple != 0 || bytes % multiple != 0) {
      throw new IllegalArgumentException(
          "whole units only: offset=%d bytes=%d unitBytes=%d".formatted(offset, bytes, multiple));
    }
  }
}
