package io.ewok.gds.allocator;

import java.util.Arrays;
import java.util.Locale;

/**
 * Which pages of the operating system a {@link Region} asks for; what it got is in {@link
 * Region#pages}.
 *
 * <p>A value; threads: any.
 */
public enum HugePages {
  /**
   * Transparent huge pages by advice (Linux {@code MADV_HUGEPAGE}): where the kernel finds 2 MiB in
   * one piece it gives them, elsewhere ordinary pages.
   */
  AUTO,

  /**
   * Explicit huge pages of 2 MiB, from the pool that the administrator set aside ({@code
   * vm.nr_hugepages}). All of them are touched when the region is mapped. Falls back to {@link
   * #AUTO} where there are too few.
   */
  HUGETLB,

  /**
   * Ordinary pages only, whatever the system's setting (Linux {@code MADV_NOHUGEPAGE}). Right for
   * small or sparsely used regions.
   */
  OFF;

  /**
   * Reads {@code auto}, {@code hugetlb} or {@code off}, in any case.
   *
   * @param name of the setting, for the message
   * @throws IllegalArgumentException that ends in the name, an equals sign and the text
   */
  public static HugePages parse(String name, String text) {
    return Arrays.stream(values())
        .filter(choice -> choice.name().equals(text.strip().toUpperCase(Locale.ROOT)))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the value is one of auto, hugetlb, off: " + name + "=" + text));
  }
}
