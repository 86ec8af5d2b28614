package io.ewok.gds.allocator;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The kernel's side of a {@link Region}, in the one order that works: advice comes before the first
 * touch, because a page that exists already stays as it is; locking comes after touching, because
 * many threads touch faster than the kernel does.
 *
 * <p>Threads: the region keeps the mapping open around each call.
 */
final class RegionMapping {
  private final Arena arena;
  private final MemorySegment segment;
  private final PageBacking pages;
  private final RegionOptions options;

  private RegionMapping(
      Arena arena, MemorySegment segment, PageBacking pages, RegionOptions options) {
    this.arena = arena;
    this.segment = segment;
    this.pages = pages;
    this.options = options;
  }

  /** Maps memory, touched and locked if the options want that. */
  static RegionMapping map(RegionOptions options, long sizeBytes) throws IOException {
    String refusal = "";
    if (options.hugePages() == HugePages.HUGETLB) {
      if (sizeBytes % Region.UNIT_BYTES == 0) {
        try {
          return mapHugePages(options, sizeBytes);
        } catch (ErrnoException e) {
          refusal = e.getMessage();
        }
      } else {
        refusal = "not whole huge pages: sizeBytes=" + sizeBytes;
      }
    }
    Arena arena = Arena.ofShared();
    RegionMapping mapping = null;
    try {
      MemorySegment segment = LinuxMemory.map(sizeBytes, alignmentBytes(sizeBytes), arena);
      PageBacking pages = TransparentHugePages.advise(segment, options.hugePages(), refusal);
      RegionMapping found = new RegionMapping(arena, segment, pages, options);
      found.provide(0, sizeBytes);
      mapping = found;
      return mapping;
    } finally {
      if (mapping == null) {
        arena.close();
      }
    }
  }

  private static RegionMapping mapHugePages(RegionOptions options, long sizeBytes)
      throws IOException {
    Arena arena = Arena.ofShared();
    RegionMapping mapping = null;
    try {
      MemorySegment segment = LinuxMemory.mapHugePages(sizeBytes, arena);
      PageBacking pages = new PageBacking(HugePages.HUGETLB, HugePages.HUGETLB, "");
      // Touched here in any case: a touch that finds no page in the pool would be a fault of the
      // process later. They are never swapped, so there is nothing to lock.
      Prefault.run(segment, Math.max(1, options.prefaultThreads()));
      mapping = new RegionMapping(arena, segment, pages, options);
      return mapping;
    } finally {
      if (mapping == null) {
        arena.close();
      }
    }
  }

  /** Maps address space; {@link #provide} makes memory of parts of it. */
  static RegionMapping reserve(RegionOptions options, long sizeBytes) throws IOException {
    Arena arena = Arena.ofShared();
    RegionMapping mapping = null;
    try {
      MemorySegment segment = LinuxMemory.reserve(sizeBytes, alignmentBytes(sizeBytes), arena);
      String refusal =
          options.hugePages() == HugePages.HUGETLB
              ? "explicit huge pages are not for reserved regions"
              : "";
      PageBacking pages = TransparentHugePages.advise(segment, options.hugePages(), refusal);
      mapping = new RegionMapping(arena, segment, pages, options);
      return mapping;
    } finally {
      if (mapping == null) {
        arena.close();
      }
    }
  }

  private static long alignmentBytes(long sizeBytes) {
    return sizeBytes >= Region.UNIT_BYTES ? Region.UNIT_BYTES : LinuxMemory.pageSizeBytes();
  }

  /**
   * Touches and locks a range if the options want that.
   *
   * @throws IOException if the kernel refuses; the range may be touched in part
   */
  void provide(long offset, long bytes) throws IOException {
    MemorySegment range = segment.asSlice(offset, bytes);
    if (options.prefaultThreads() > 0) {
      Prefault.run(range, options.prefaultThreads());
    }
    if (options.locked()) {
      LinuxMemory.lock(range);
    }
  }

  /** Gives the memory of a range back to the system; it reads as zero then. */
  void discard(long offset, long bytes) throws IOException {
    MemorySegment range = segment.asSlice(offset, bytes);
    if (options.locked()) {
      LinuxMemory.unlock(range);
    }
    LinuxMemory.discard(range);
  }

  MemorySegment segment() {
    return segment;
  }

  PageBacking pages() {
    return pages;
  }

  /** Whether memory of a mapped region cannot be given back before it is closed. */
  boolean keepsItsPages() {
    return options.locked() || pages.effective() == HugePages.HUGETLB;
  }

  /** Unmaps; see {@link Arena#close}. */
  void close() {
    arena.close();
  }
}
