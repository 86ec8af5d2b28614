package io.ewok.gds.allocator;

import java.util.Objects;

/**
 * How a {@link Region} is mapped.
 *
 * @param sizeBytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}; rounded up to whole pages of
 *     the operating system, of a reserved region to its {@link Region#unitBytes}
 * @param hugePages default {@link HugePages#AUTO}; change to {@code OFF} for regions that stay
 *     mostly untouched, where a huge page would hold memory for nothing; to {@code HUGETLB} where
 *     the administrator has set a pool aside and latency must not depend on what is left in one
 *     piece
 * @param prefaultThreads how many threads touch all pages before the region is handed out (or
 *     before a commit returns), so that no later access takes a page fault; default 0, nothing is
 *     touched. Costs about 0.25 s per GiB and thread at start.
 * @param locked whether the memory is kept from being swapped out; default false. It is touched
 *     too, counts against the limit of locked memory ({@code RLIMIT_MEMLOCK}), and cannot be
 *     trimmed.
 */
public record RegionOptions(
    long sizeBytes, HugePages hugePages, int prefaultThreads, boolean locked) {

  /** The most threads that touch memory at once. */
  public static final int PREFAULT_THREADS_MAX = 1024;

  /** Checks the ranges. */
  public RegionOptions {
    Objects.requireNonNull(hugePages, "hugePages");
    if (sizeBytes < 1 || sizeBytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a region has 1 to " + Region.SIZE_BYTES_MAX + " bytes: sizeBytes=" + sizeBytes);
    }
    if (prefaultThreads < 0 || prefaultThreads > PREFAULT_THREADS_MAX) {
      throw new IllegalArgumentException(
          "0 to "
              + PREFAULT_THREADS_MAX
              + " threads touch memory: prefaultThreads="
              + prefaultThreads);
    }
  }

  /** Returns the defaults for a region of {@code sizeBytes} bytes. */
  public static RegionOptions ofSize(long sizeBytes) {
    return new RegionOptions(sizeBytes, HugePages.AUTO, 0, false);
  }

  /** Returns these options with another choice of pages. */
  public RegionOptions withHugePages(HugePages hugePages) {
    return new RegionOptions(sizeBytes, hugePages, prefaultThreads, locked);
  }

  /** Returns these options with another number of threads that touch the memory. */
  public RegionOptions withPrefaultThreads(int prefaultThreads) {
    return new RegionOptions(sizeBytes, hugePages, prefaultThreads, locked);
  }

  /** Returns these options with locking switched on or off. */
  public RegionOptions withLocked(boolean locked) {
    return new RegionOptions(sizeBytes, hugePages, prefaultThreads, locked);
  }
}
