package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.Placement;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * The kernel's side of a {@link Region}, in the one order that works: map, place, advise, touch,
 * lock, verify. Placement and advice come before the first touch, because a page that exists
 * already stays where and as it is; locking comes after touching, because many threads touch faster
 * than the kernel does.
 *
 * <p>Threads: the region keeps the mapping open around each call.
 */
final class RegionMapping {
  /** What is mapped, and so which call maps it. */
  private enum Kind {
    MEMORY,
    EXPLICIT_HUGE_PAGES,
    ADDRESS_SPACE
  }

  private final RegionOptions options;
  private final MappingCalls calls;
  private final Arena arena;
  private final MemorySegment segment;
  private final PageBacking pages;

  /** How many threads touch memory that is provided. */
  private final int prefaultThreads;

  /** As it was when this was mapped; null if nobody touches memory. */
  private final NumaTopology topology;

  /** As it was found last. */
  private volatile Placement placement;

  private RegionMapping(
      RegionOptions options,
      MappingCalls calls,
      Arena arena,
      MemorySegment segment,
      PageBacking pages,
      Placement placement) {
    this.options = options;
    this.calls = calls;
    this.arena = arena;
    this.segment = segment;
    this.pages = pages;
    // Explicit huge pages are touched in any case: a touch that finds none on the nodes of the
    // policy would be a fault of the process later.
    boolean isTouched = pages.effective() == HugePages.HUGETLB;
    this.prefaultThreads = Math.max(isTouched ? 1 : 0, options.prefaultThreads());
    this.topology = prefaultThreads > 0 ? calls.topology() : null;
    this.placement = placement;
  }

  /** Maps memory, touched and locked if the options want that. */
  static RegionMapping map(RegionOptions options, long sizeBytes, MappingCalls calls)
      throws IOException {
    String refusal = "";
    if (options.hugePages() == HugePages.HUGETLB) {
      if (sizeBytes % Region.UNIT_BYTES == 0) {
        try {
          return openMemory(Kind.EXPLICIT_HUGE_PAGES, options, sizeBytes, "", calls);
        } catch (ErrnoException e) {
          refusal = e.getMessage();
        }
      } else {
        refusal = "not whole huge pages: sizeBytes=" + sizeBytes;
      }
    }
    return openMemory(Kind.MEMORY, options, sizeBytes, refusal, calls);
  }

  /**
   * Maps address space; {@link #provide} makes memory of parts of it.
   *
   * @param arena holds the mapping; other mappings may share it and are unmapped with this one. If
   *     this throws, it stays open.
   */
  static RegionMapping reserve(
      RegionOptions options, long sizeBytes, MappingCalls calls, Arena arena) throws IOException {
    // An access to what is not committed would be a fault of the process if the pool is empty then.
    String refusal =
        options.hugePages() == HugePages.HUGETLB
            ? "explicit huge pages are not for reserved regions"
            : "";
    return open(Kind.ADDRESS_SPACE, options, sizeBytes, refusal, calls, arena);
  }

  private static RegionMapping openMemory(
      Kind kind, RegionOptions options, long sizeBytes, String refusal, MappingCalls calls)
      throws IOException {
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try {
      RegionMapping mapping = open(kind, options, sizeBytes, refusal, calls, arena);
      mapping.provide(0, sizeBytes);
      opened = true;
      return mapping;
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  private static RegionMapping open(
      Kind kind,
      RegionOptions options,
      long sizeBytes,
      String refusal,
      MappingCalls calls,
      Arena arena)
      throws IOException {
    MemorySegment segment = map(kind, sizeBytes, arena, calls);
    Placement placement = calls.place(segment, options.placement());
    PageBacking pages =
        kind == Kind.EXPLICIT_HUGE_PAGES
            ? new PageBacking(HugePages.HUGETLB, HugePages.HUGETLB, "")
            : TransparentHugePages.advise(segment, options.hugePages(), refusal, calls);
    return new RegionMapping(options, calls, arena, segment, pages, placement);
  }

  private static MemorySegment map(Kind kind, long sizeBytes, Arena arena, MappingCalls calls)
      throws ErrnoException {
    long alignmentBytes =
        sizeBytes >= Region.UNIT_BYTES ? Region.UNIT_BYTES : LinuxMemory.pageSizeBytes();
    return switch (kind) {
      case MEMORY -> calls.map(sizeBytes, alignmentBytes, arena);
      case EXPLICIT_HUGE_PAGES -> calls.mapHugePages(sizeBytes, arena);
      case ADDRESS_SPACE -> calls.reserve(sizeBytes, alignmentBytes, arena);
    };
  }

  /**
   * Touches and locks a range if the options want that.
   *
   * @throws IOException if the kernel refuses; the range may be touched and locked in part
   */
  void provide(long offset, long bytes) throws IOException {
    if (bytes == 0) {
      return;
    }
    MemorySegment range = segment.asSlice(offset, bytes);
    if (prefaultThreads > 0) {
      BitSet cpus = Prefault.cpus(options.placement(), topology);
      new Prefault(range, cpus, calls).run(prefaultThreads);
    }
    // Explicit huge pages are never swapped.
    if (options.locked() && pages.effective() != HugePages.HUGETLB) {
      lock(range);
    }
    if (prefaultThreads > 0 || options.locked()) {
      placement = calls.verify(range, placement);
    }
  }

  private void lock(MemorySegment range) throws IOException {
    try {
      calls.lock(range);
    } catch (ErrnoException e) {
      throw LockedMemory.refused(range.byteSize(), e);
    }
  }

  /** Gives the memory of a range back to the system; it reads as zero then. */
  void discard(long offset, long bytes) throws IOException {
    MemorySegment range = segment.asSlice(offset, bytes);
    if (options.locked()) {
      calls.unlock(range);
    }
    calls.discard(range);
  }

  MemorySegment segment() {
    return segment;
  }

  PageBacking pages() {
    return pages;
  }

  /** Placement as it was found when memory was last provided. */
  Placement placement() {
    return placement;
  }

  /** Placement as it is now, of the whole mapping. */
  Placement verifiedPlacement() {
    return calls.verify(segment, placement);
  }

  /** Whether memory of a mapped region cannot be given back before it is closed. */
  boolean keepsItsPages() {
    return options.locked() || pages.effective() == HugePages.HUGETLB;
  }

  /** Unmaps, with all mappings in the same arena; see {@link Arena#close}. */
  void close() {
    arena.close();
  }
}
