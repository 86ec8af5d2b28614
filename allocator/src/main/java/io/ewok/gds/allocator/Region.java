package io.ewok.gds.allocator;

import io.ewok.gds.allocator.RegionState.Turn;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.allocator.numa.Placement;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.NativeLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

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
 * UncheckedIOException} for what the kernel refuses. Neither changes anything. {@link
 * UnsatisfiedLinkError}, with a sentence that says what to change, where the JVM denies native
 * access.
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

  private final MemoryBudget budget;
  private final RegionMapping mapping;
  private final long unitBytes;

  /** Null in a mapped region. Changed in turns of {@link #state}. */
  private final CommittedUnits units;

  /** Those in the same arena, this one among them: unmapped all or none. Fixed once created. */
  private final List<Region> together;

  private final RegionState state = new RegionState();

  /** Written while operations are excluded, read by operations. */
  private FrameLeases frameLeases;

  private Region(
      MemoryBudget budget,
      RegionMapping mapping,
      long unitBytes,
      CommittedUnits units,
      List<Region> together) {
    this.budget = budget;
    this.mapping = mapping;
    this.unitBytes = unitBytes;
    this.units = units;
    this.together = together;
    together.add(this);
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
    return map(budget, options, MappingCalls.KERNEL);
  }

  static Region map(MemoryBudget budget, RegionOptions options, MappingCalls calls) {
    NativeLibrary.load();
    RegionMappedEvent event = new RegionMappedEvent();
    event.begin();
    long sizeBytes = roundUp(options.sizeBytes(), LinuxMemory.pageSizeBytes());
    budget.reserve(sizeBytes);
    boolean mapped = false;
    try {
      RegionMapping mapping = RegionMapping.map(options, sizeBytes, calls);
      mapped = true;
      return opened(
          event, new Region(budget, mapping, unitBytes(options), null, new ArrayList<>()));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot map %d bytes: %s".formatted(sizeBytes, e.getMessage()), e);
    } finally {
      if (!mapped) {
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
    return reserve(budget, options, MappingCalls.KERNEL);
  }

  static Region reserve(MemoryBudget budget, RegionOptions options, MappingCalls calls) {
    return reserveTogether(budget, List.of(options), calls).getFirst();
  }

  /**
   * Reserves regions that are unmapped together: closing one closes all of them, or none if one is
   * in use.
   *
   * @throws UncheckedIOException if the kernel refuses; there are none then
   */
  static List<Region> reserveTogether(
      MemoryBudget budget, List<RegionOptions> options, MappingCalls calls) {
    NativeLibrary.load();
    List<Region> together = new ArrayList<>();
    Arena arena = Arena.ofShared();
    boolean reserved = false;
    try {
      options.forEach(each -> reserve(budget, each, calls, arena, together));
      reserved = true;
      return together;
    } finally {
      if (!reserved) {
        arena.close();
      }
    }
  }

  private static void reserve(
      MemoryBudget budget,
      RegionOptions options,
      MappingCalls calls,
      Arena arena,
      List<Region> together) {
    Objects.requireNonNull(budget, "budget");
    RegionMappedEvent event = new RegionMappedEvent();
    event.begin();
    long unitBytes = unitBytes(options);
    long sizeBytes = roundUp(options.sizeBytes(), unitBytes);
    try {
      RegionMapping mapping = RegionMapping.reserve(options, sizeBytes, calls, arena);
      CommittedUnits units = new CommittedUnits(sizeBytes, unitBytes);
      opened(event, new Region(budget, mapping, unitBytes, units, together));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot reserve %d bytes: %s".formatted(sizeBytes, e.getMessage()), e);
    }
  }

  private static Region opened(RegionMappedEvent event, Region region) {
    event.end(region);
    PlacementDegradedEvent.report(region.sizeBytes(), region.mapping.placement());
    return region;
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

  /** Returns whether it is a reserved region. */
  boolean isReserved() {
    return units != null;
  }

  /** Returns how many bytes are memory, and so charged to the budget until close. */
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

  /** Returns which pages were asked for and which were agreed to. */
  public PageBacking pages() {
    return mapping.pages();
  }

  /**
   * Returns how many bytes lie in huge pages just now. The kernel is asked about all memory of the
   * process, which can take tens of milliseconds; it joins mappings that are alike, and then the
   * number is an estimate.
   *
   * @throws IllegalStateException if the region is closed
   * @throws UncheckedIOException if the kernel does not tell
   */
  public long hugePageBytes() {
    try (Turn _ = state.turn()) {
      state.requireOpen();
      return HugePageCount.bytes(Path.of("/"), address(), sizeBytes());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot count huge pages: " + e.getMessage(), e);
    }
  }

  /**
   * Returns where the memory was wanted and where it lies now, by some of its pages. Takes two
   * system calls.
   *
   * @throws IllegalStateException if the region is closed
   */
  public Placement placement() {
    try (Turn _ = state.turn()) {
      state.requireOpen();
      return mapping.verifiedPlacement();
    }
  }

  /** Returns placement as it was when the region was opened or memory was last committed. */
  Placement placementFound() {
    return mapping.placement();
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
    try {
      commitReserved(offset, bytes);
      committed = true;
      return true;
    } finally {
      if (!committed) {
        budget.release(bytes);
      }
    }
  }

  /**
   * Does what {@link #commit} does, with bytes that the caller has reserved in the budget. They
   * stay the caller's if this throws.
   */
  void commitReserved(long offset, long bytes) {
    requireReserved();
    requireWhole(offset, bytes, unitBytes);
    try (Turn _ = state.turn()) {
      state.requireChangeable();
      if (!units.all(false, offset, bytes)) {
        throw new IllegalStateException(
            "some of the range is committed already: offset=%d bytes=%d".formatted(offset, bytes));
      }
      provide(offset, bytes);
      units.set(true, offset, bytes);
    }
  }

  private void provide(long offset, long bytes) {
    boolean provided = false;
    try {
      mapping.provide(offset, bytes);
      provided = true;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot commit %d bytes at %d: %s".formatted(bytes, offset, e.getMessage()), e);
    } finally {
      if (!provided) {
        discard(offset, bytes);
      }
    }
    PlacementDegradedEvent.report(bytes, mapping.placement());
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
    try (Turn _ = state.turn()) {
      state.requireChangeable();
      state.requireUnregistered();
      requireCommitted(offset, bytes);
      if (frameLeases == null) {
        discardExclusively(offset, bytes);
      } else {
        discard(offset, bytes);
      }
      units.set(false, offset, bytes);
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
    try (Turn _ = state.turn()) {
      state.requireChangeable();
      state.requireUnregistered();
      if (mapping.keepsItsPages()) {
        throw new IllegalStateException(
            "locked memory and explicit huge pages stay until close: offset=%d bytes=%d"
                .formatted(offset, bytes));
      }
      discardExclusively(offset, bytes);
    }
  }

  private void discardExclusively(long offset, long bytes) {
    state.exclude();
    try {
      discard(offset, bytes);
    } finally {
      state.readmit();
    }
  }

  private void discard(long offset, long bytes) {
    try {
      mapping.discard(offset, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot give back %d bytes at %d: %s".formatted(bytes, offset, e.getMessage()), e);
    }
  }

  /**
   * Fixes what is memory: from now on {@link #commit}, {@link #decommit} and {@link #trim} are
   * refused. Sealing twice does nothing.
   *
   * @throws IllegalStateException if the region is closed
   */
  public void seal() {
    try (Turn _ = state.turn()) {
      state.requireOpen();
      state.seal();
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
    try (Turn _ = state.turn()) {
      if (frameLeases != null) {
        throw new IllegalStateException("the region has an allocator: leases=" + frameLeases);
      }
      state.exclude();
      frameLeases = leases;
      state.readmit();
    }
  }

  /**
   * Keeps bytes in place until the matching {@link #unlease}: an operation starts that only the
   * kernel sees.
   *
   * @throws IllegalStateException if the region is closed, or some of the bytes are not committed
   */
  void lease(long offset, long bytes) {
    requireInside(offset, bytes);
    state.enter();
    boolean leased = false;
    try {
      requireCommitted(offset, bytes);
      if (frameLeases != null && bytes > 0) {
        frameLeases.leased(offset, bytes);
      }
      leased = true;
    } finally {
      if (!leased) {
        state.exit();
      }
    }
  }

  /**
   * Ends one lease: its operation has completed.
   *
   * @throws IllegalStateException if there is no lease
   */
  void unlease(long offset, long bytes) {
    state.requireLeased();
    if (frameLeases != null && bytes > 0) {
      frameLeases.unleased(offset, bytes);
    }
    state.exit();
  }

  /** Keeps all pages in place until the matching {@link #removeRegistration}. */
  void addRegistration() {
    try (Turn _ = state.turn()) {
      state.requireOpen();
      if (committedBytes() != sizeBytes()) {
        throw new IllegalStateException(
            "a region is registered only when all of it is committed: committedBytes=%d sizeBytes=%d"
                .formatted(committedBytes(), sizeBytes()));
      }
      state.register();
    }
  }

  /** Returns whether all pages are kept in place just now. */
  boolean isRegistered() {
    try (Turn _ = state.turn()) {
      return state.isRegistered();
    }
  }

  /** Ends one registration. */
  void removeRegistration() {
    try (Turn _ = state.turn()) {
      state.unregister();
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
    if (unmap()) {
      together.forEach(region -> region.budget.release(region.committedBytes()));
    }
  }

  /** Returns false if that was done before. */
  private boolean unmap() {
    List<Turn> turns = new ArrayList<>();
    try {
      // In one order, so that two who close them do not wait for each other.
      together.forEach(region -> turns.add(region.state.turn()));
      if (state.isClosed()) {
        return false;
      }
      together.forEach(region -> region.state.requireUnregistered());
      unmapExclusively();
      return true;
    } finally {
      turns.forEach(Turn::close);
    }
  }

  private void unmapExclusively() {
    List<Region> excluded = new ArrayList<>();
    boolean closed = false;
    try {
      for (Region region : together) {
        region.state.exclude();
        excluded.add(region);
      }
      // Refused if a segment of a region is an argument of a native call, such as a write.
      mapping.close();
      closed = true;
    } finally {
      for (Region region : excluded) {
        if (closed) {
          region.state.end();
        } else {
          region.state.readmit();
        }
      }
    }
  }

  /** Returns what it is and what state it is in, in one line. */
  @Override
  public String toString() {
    return "Region[sizeBytes=%d committedBytes=%d pages=%s placement=%s %s]"
        .formatted(sizeBytes(), committedBytes(), pages(), mapping.placement().effective(), state);
  }

  // ---------------------------------------------------------------- checks

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

  private void requireInside(long offset, long bytes) {
    if (offset < 0 || bytes < 0 || offset > sizeBytes() - bytes) {
      throw new IndexOutOfBoundsException(
          "outside of the region: offset=%d bytes=%d sizeBytes=%d"
              .formatted(offset, bytes, sizeBytes()));
    }
  }

  private void requireWhole(long offset, long bytes, long multiple) {
    requireInside(offset, bytes);
    if (offset % multiple != 0 || bytes % multiple != 0) {
      throw new IllegalArgumentException(
          "whole units only: offset=%d bytes=%d unitBytes=%d".formatted(offset, bytes, multiple));
    }
  }
}
