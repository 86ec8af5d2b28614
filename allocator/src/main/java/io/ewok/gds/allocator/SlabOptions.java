package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How a {@link SlabAllocator} takes memory.
 *
 * <p>A value, for as many allocators as one likes; threads: any.
 *
 * @param name appears in messages
 * @param region how memory is mapped: regions of at most this size are reserved, and committed in
 *     units of 2 MiB as cells are needed. Default 1 GiB and {@link HugePages#AUTO}, by which the
 *     first touch of a unit makes all of it resident; {@code OFF} where little memory matters more
 *     than the speed of access. If it asks for a placement, that holds for all memory; by default
 *     each node with memory has a heap of its own, preferably on that node.
 * @param committedBytes how much is committed from the start, distributed evenly over the nodes and
 *     rounded up to units; default 0. With {@link SlabAllocator#seal} that is all there ever is.
 * @param topology the nodes; default those of the machine
 * @param debug what is done to find mistakes; default {@link DebugLetters#fromProperty}
 */
public record SlabOptions(
    String name,
    RegionOptions region,
    long committedBytes,
    NumaTopology topology,
    DebugLetters debug) {

  private static final String COMMITTED = "memory.slab.committed";
  private static final Pattern NAMES = Pattern.compile("memory\\.slab\\..*");

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  COMMITTED,
                  "0",
                  "a size, or a percentage of what the process may use",
                  "memory that a slab allocator commits from the start")
              .change("the allocator is sealed, and uses nothing else", "memory, used or not"));

  /** Said of all allocators, by letters. */
  private static final Setting DEBUG =
      Setting.of(
              DebugLetters.KEY,
              "",
              "letters of R, P, Q and T, and F=number",
              "what allocators do to find mistakes of those who use their memory")
          .change("memory is suspected to be damaged", "memory and time, see DebugLetters");

  /** Checks the ranges. */
  public SlabOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(region, "region");
    Objects.requireNonNull(topology, "topology");
    Objects.requireNonNull(debug, "debug");
    if (region.sizeBytes() % Region.UNIT_BYTES != 0) {
      throw new IllegalArgumentException(
          "a region of slabs has whole units of 2 MiB: sizeBytes=" + region.sizeBytes());
    }
    if (committedBytes < 0) {
      throw new IllegalArgumentException(
          "memory to commit is not negative: committedBytes=" + committedBytes);
    }
  }

  /** Returns the defaults for an allocator of this name. */
  public static SlabOptions named(String name) {
    return new SlabOptions(
        name,
        RegionOptions.ofSize(Region.SIZE_BYTES_MAX),
        0,
        NumaTopology.read(),
        DebugLetters.fromProperty());
  }

  /**
   * Returns the options that settings describe.
   *
   * <table>
   * <caption>Settings</caption>
   * <tr><td>{@code memory.slab.committed}</td><td>a {@link MemorySize}, percentages are of {@link
   *     ProcessMemory#limitBytes}</td></tr>
   * <tr><td>{@code memory.debug}</td><td>{@link DebugLetters}</td></tr>
   * <tr><td>{@code memory.huge-pages}, {@code memory.prefault-threads}, {@code memory.locked},
   *     {@code numa.policy}</td><td>as in {@link RegionOptions#from}</td></tr>
   * </table>
   *
   * <p>There is no setting for the most it may use: that is the limit of its budget.
   *
   * @param name of the allocator
   * @param settings by name; one that is missing or null has its default, names of other components
   *     are passed over
   * @throws IllegalArgumentException for a bad value, and for a name that begins like those above
   *     and is none of them; the message ends in the setting, an equals sign and its value
   */
  public static SlabOptions from(String name, Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    SlabOptions defaults = named(name);
    return new SlabOptions(
        name,
        RegionOptions.from(defaults.region.sizeBytes(), settings),
        Settings.read(settings, COMMITTED, SlabOptions::committed, defaults.committedBytes),
        defaults.topology,
        Settings.read(
            settings,
            DebugLetters.KEY,
            text -> DebugLetters.parse(DebugLetters.KEY, text),
            defaults.debug));
  }

  /** Returns what {@link #from} reads, beside what {@link RegionOptions#from} does. */
  public static List<Setting> settings() {
    List<Setting> all = new ArrayList<>(SETTINGS);
    all.add(DEBUG);
    return List.copyOf(all);
  }

  private static long committed(String text) {
    return MemorySize.parse(COMMITTED, text).bytes(ProcessMemory.limitBytes());
  }

  /** Returns these options with regions mapped in another way. */
  public SlabOptions withRegion(RegionOptions region) {
    return new SlabOptions(name, region, committedBytes, topology, debug);
  }

  /** Returns these options with another choice of pages. */
  public SlabOptions withHugePages(HugePages hugePages) {
    return withRegion(region.withHugePages(hugePages));
  }

  /** Returns these options with so much memory from the start. */
  public SlabOptions withCommittedBytes(long committedBytes) {
    return new SlabOptions(name, region, committedBytes, topology, debug);
  }

  /** Returns these options for another machine. */
  public SlabOptions withTopology(NumaTopology topology) {
    return new SlabOptions(name, region, committedBytes, topology, debug);
  }

  /** Returns these options with other letters. */
  public SlabOptions withDebug(DebugLetters debug) {
    return new SlabOptions(name, region, committedBytes, topology, debug);
  }
}
