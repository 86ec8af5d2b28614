package io.ewok.gds.allocator;

import java.util.Objects;

/**
 * How a {@link SlabAllocator} takes memory.
 *
 * @param name appears in messages
 * @param hugePages default {@link HugePages#AUTO}: the first touch of 2 MiB makes all of them
 *     resident. {@code OFF} where little memory matters more than the speed of access.
 */
public record SlabOptions(String name, HugePages hugePages) {

  /** Checks for null. */
  public SlabOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(hugePages, "hugePages");
  }

  /** Returns the defaults for an allocator of this name. */
  public static SlabOptions named(String name) {
    return new SlabOptions(name, HugePages.AUTO);
  }

  /** Returns these options with another choice of pages. */
  public SlabOptions withHugePages(HugePages hugePages) {
    return new SlabOptions(name, hugePages);
  }
}
