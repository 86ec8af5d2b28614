package io.ewok.gds.allocator;

import java.util.Objects;

/**
 * How a {@link Region} is mapped.
 *
 * @param sizeBytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}; rounded up to whole pages of
 *     the operating system
 * @param hugePages default {@link HugePages#AUTO}; change to {@code OFF} for regions that stay
 *     mostly untouched, where a huge page would hold memory for nothing
 * @param populate whether all pages are touched at once, so that no later access takes a page
 *     fault; default false. Costs about 0.25 s per GiB at start.
 */
public record RegionOptions(long sizeBytes, HugePages hugePages, boolean populate) {

  /** Checks the ranges. */
  public RegionOptions {
    Objects.requireNonNull(hugePages, "hugePages");
    if (sizeBytes < 1 || sizeBytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a region has 1 to " + Region.SIZE_BYTES_MAX + " bytes: sizeBytes=" + sizeBytes);
    }
  }

  /** Returns the defaults for a region of {@code sizeBytes} bytes. */
  public static RegionOptions ofSize(long sizeBytes) {
    return new RegionOptions(sizeBytes, HugePages.AUTO, false);
  }

  /** Returns these options with another choice of pages. */
  public RegionOptions withHugePages(HugePages hugePages) {
    return new RegionOptions(sizeBytes, hugePages, populate);
  }

  /** Returns these options with populating switched on or off. */
  public RegionOptions withPopulate(boolean populate) {
    return new RegionOptions(sizeBytes, hugePages, populate);
  }
}
