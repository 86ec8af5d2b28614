package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * How a {@link Region} is mapped.
 *
 * <p>A value, for as many regions as one likes; threads: any.
 *
 * @param sizeBytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}; rounded up to whole pages of
 *     the operating system, of a reserved region to its {@link Region#unitBytes}
 * @param hugePages default {@link HugePages#AUTO}; change to {@code OFF} for regions that stay
 *     mostly untouched, where a huge page would hold memory for nothing; to {@code HUGETLB} where
 *     the administrator has set a pool aside and latency must not depend on what is left in one
 *     piece
 * @param placement default {@code default}, nothing is requested; change where a machine has
 *     several NUMA nodes and it is known whose threads use the region
 * @param prefaultThreads how many threads touch all pages before the region is handed out (or
 *     before a commit returns), so that no later access takes a page fault; default 0, nothing is
 *     touched. Costs a page fault for each page at start, shared by the threads. Where all pages
 *     are meant for one node the threads run there.
 * @param locked whether the memory is kept from being swapped out; default false. It is touched
 *     too, counts against the limit of locked memory ({@code RLIMIT_MEMLOCK}), and cannot be
 *     trimmed.
 */
public record RegionOptions(
    long sizeBytes,
    HugePages hugePages,
    PlacementPolicy placement,
    int prefaultThreads,
    boolean locked) {

  /** The most threads that touch memory at once. */
  public static final int PREFAULT_THREADS_MAX = 1024;

  private static final String HUGE_PAGES = "memory.huge-pages";
  private static final String PREFAULT_THREADS = "memory.prefault-threads";
  private static final String LOCKED = "memory.locked";

  private static final Pattern NAMES = Pattern.compile("(memory|numa)\\.[^.]*");

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  HUGE_PAGES,
                  "auto",
                  "auto, hugetlb or off",
                  "the pages that memory is asked of the system in: auto advises 2 MiB, hugetlb"
                      + " takes them from vm.nr_hugepages")
              .change(
                  "off where most memory stays untouched; hugetlb where latency must not depend on"
                      + " what the kernel finds in one piece",
                  "hugetlb: memory that the administrator sets aside, all touched at the start"),
          Setting.of(
                  PREFAULT_THREADS,
                  "0",
                  "0 to " + PREFAULT_THREADS_MAX + " threads",
                  "so many threads touch all memory before it is used; 0 touches none")
              .change("no later access may take a page fault", "a page fault for each page"),
          Setting.of(
                  LOCKED, "false", "true or false", "whether memory is kept from being swapped out")
              .change(
                  "the machine swaps",
                  "memory is touched, counts against RLIMIT_MEMLOCK and cannot be trimmed"),
          Setting.of(
                  PlacementPolicy.KEY,
                  "default",
                  "default, local, or one of preferred, preferred-many, bind, interleave and"
                      + " weighted-interleave with nodes, such as interleave:0-1",
                  "the NUMA nodes on which memory is wanted")
              .change(
                  "the machine has several nodes and it is known whose threads use the memory",
                  "other nodes are used less; with bind the process ends when its nodes are full"));

  /** The letters are for allocators, but their name looks like one of these. */
  private static final Set<String> KNOWN = known();

  private static Set<String> known() {
    Set<String> known = new HashSet<>(Setting.names(SETTINGS));
    known.add(DebugLetters.KEY);
    return Set.copyOf(known);
  }

  /** Checks the ranges. */
  public RegionOptions {
    Objects.requireNonNull(hugePages, "hugePages");
    Objects.requireNonNull(placement, "placement");
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
    return new RegionOptions(sizeBytes, HugePages.AUTO, PlacementPolicy.none(), 0, false);
  }

  /**
   * Returns the options for a region of {@code sizeBytes} bytes that settings describe.
   *
   * <table>
   * <caption>Settings</caption>
   * <tr><td>{@code memory.huge-pages}</td><td>{@code auto}, {@code hugetlb} or {@code off}</td></tr>
   * <tr><td>{@code memory.prefault-threads}</td><td>a number</td></tr>
   * <tr><td>{@code memory.locked}</td><td>{@code true} or {@code false}</td></tr>
   * <tr><td>{@code numa.policy}</td><td>what {@link PlacementPolicy#parse} reads</td></tr>
   * </table>
   *
   * @param settings by name; one that is missing or null has its default. Names of other components
   *     are passed over, those that have another dot behind {@code memory.} among them.
   * @throws IllegalArgumentException for a bad value, and for a name that begins like those above
   *     and is none of them; the message ends in the setting, an equals sign and its value
   */
  public static RegionOptions from(long sizeBytes, Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, KNOWN);
    RegionOptions defaults = ofSize(sizeBytes);
    return new RegionOptions(
        sizeBytes,
        Settings.read(
            settings, HUGE_PAGES, text -> HugePages.parse(HUGE_PAGES, text), defaults.hugePages),
        Settings.read(settings, PlacementPolicy.KEY, PlacementPolicy::parse, defaults.placement),
        Settings.read(settings, PREFAULT_THREADS, RegionOptions::threads, defaults.prefaultThreads),
        Settings.read(settings, LOCKED, RegionOptions::locked, defaults.locked));
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static int threads(String text) {
    String digits = text.strip();
    if (!digits.matches("[0-9]{1,4}") || Integer.parseInt(digits) > PREFAULT_THREADS_MAX) {
      throw bad("a number from 0 to " + PREFAULT_THREADS_MAX, PREFAULT_THREADS, text);
    }
    return Integer.parseInt(digits);
  }

  private static boolean locked(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw bad("true or false", LOCKED, text);
    };
  }

  private static IllegalArgumentException bad(String wanted, String name, String text) {
    return new IllegalArgumentException("the value is " + wanted + ": " + name + "=" + text);
  }

  /** Returns these options with another choice of pages. */
  public RegionOptions withHugePages(HugePages hugePages) {
    return new RegionOptions(sizeBytes, hugePages, placement, prefaultThreads, locked);
  }

  /** Returns these options with another placement. */
  public RegionOptions withPlacement(PlacementPolicy placement) {
    return new RegionOptions(sizeBytes, hugePages, placement, prefaultThreads, locked);
  }

  /** Returns these options with another number of threads that touch the memory. */
  public RegionOptions withPrefaultThreads(int prefaultThreads) {
    return new RegionOptions(sizeBytes, hugePages, placement, prefaultThreads, locked);
  }

  /** Returns these options with locking switched on or off. */
  public RegionOptions withLocked(boolean locked) {
    return new RegionOptions(sizeBytes, hugePages, placement, prefaultThreads, locked);
  }
}
