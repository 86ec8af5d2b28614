package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How much memory a {@link ReadArena} keeps and uses. Percentages are of the limit of the budget it
 * is created with: the memory of one core, where there is an arena per core.
 *
 * <p>A value, for as many arenas as one likes; threads: any.
 *
 * @param min so much is set aside for the arena and not given back once it is in use; default 30%.
 *     More means fewer system calls when reads come in waves, and less for everybody else.
 * @param max more is never used; default 50%, at least two blocks. At this point an allocation is
 *     refused or waits.
 * @param placement default {@code default}, nothing is requested; change where a machine has
 *     several NUMA nodes: an arena per core belongs on the node of that core
 */
public record ReadArenaOptions(MemorySize min, MemorySize max, PlacementPolicy placement) {
  private static final String MIN = "memory.read-arena.min";
  private static final String MAX = "memory.read-arena.max";
  private static final Pattern NAMES = Pattern.compile("memory\\.read-arena\\..*");

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  MIN,
                  "30%",
                  "a size, or a percentage of the arena's budget",
                  "memory that an arena for reads sets aside and does not give back")
              .change("reads come in waves", "less for everybody else"),
          Setting.of(
                  MAX,
                  "50%",
                  "a size, or a percentage of the arena's budget",
                  "memory that an arena for reads never exceeds; beyond it who reads waits")
              .change("many streams are read at a time", "less for everybody else"));

  /** 30% and 50%, placed as the kernel likes. */
  public static final ReadArenaOptions DEFAULT =
      new ReadArenaOptions(
          MemorySize.parse("30%"), MemorySize.parse("50%"), PlacementPolicy.none());

  /** Checks that there is a value for each. */
  public ReadArenaOptions {
    Objects.requireNonNull(min, "min");
    Objects.requireNonNull(max, "max");
    Objects.requireNonNull(placement, "placement");
  }

  /** Returns options in bytes. */
  public static ReadArenaOptions ofBytes(long minBytes, long maxBytes) {
    return DEFAULT.withMin(MemorySize.ofBytes(minBytes)).withMax(MemorySize.ofBytes(maxBytes));
  }

  /**
   * Returns the options that settings describe: {@code memory.read-arena.min} and {@code
   * memory.read-arena.max}, both a {@link MemorySize}, and {@code numa.policy}, a {@link
   * PlacementPolicy}.
   *
   * @param settings by name; one that is missing or null has its default, names of other components
   *     are passed over
   * @throws IllegalArgumentException for a bad value, and for a name that begins with {@code
   *     memory.read-arena.} and is none of them; the message ends in the setting, an equals sign
   *     and its value
   */
  public static ReadArenaOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new ReadArenaOptions(
        Settings.read(settings, MIN, text -> MemorySize.parse(MIN, text), DEFAULT.min),
        Settings.read(settings, MAX, text -> MemorySize.parse(MAX, text), DEFAULT.max),
        Settings.read(settings, PlacementPolicy.KEY, PlacementPolicy::parse, DEFAULT.placement));
  }

  /** Returns what {@link #from} reads, beside {@code numa.policy}. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  /** Returns these options with another minimum. */
  public ReadArenaOptions withMin(MemorySize min) {
    return new ReadArenaOptions(min, max, placement);
  }

  /** Returns these options with another maximum. */
  public ReadArenaOptions withMax(MemorySize max) {
    return new ReadArenaOptions(min, max, placement);
  }

  /** Returns these options with another placement. */
  public ReadArenaOptions withPlacement(PlacementPolicy placement) {
    return new ReadArenaOptions(min, max, placement);
  }
}
