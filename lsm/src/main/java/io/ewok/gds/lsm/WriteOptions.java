package io.ewok.gds.lsm;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * How a write is done.
 *
 * @param durability what it promises when it returns
 * @param stallMaxOrNull how long it waits at most for room in memory and log, for readers of
 *     changes that hold the log back, and for a store that is behind with its merges; zero: not at
 *     all; null, the default: as long as these get on. A write that would wait longer gets a {@link
 *     WriteStalledException}. It does not limit the time that the device takes.
 */
@TakesEffect(StoreSetting.Effect.EACH_CALL)
public record WriteOptions(Durability durability, Duration stallMaxOrNull) {
  private static final Map<Durability, WriteOptions> DEFAULTS = new EnumMap<>(Durability.class);

  static {
    for (Durability durability : Durability.values()) {
      DEFAULTS.put(durability, new WriteOptions(durability, null));
    }
  }

  /** Checks the options. */
  public WriteOptions {
    Objects.requireNonNull(durability, "durability");
    if (stallMaxOrNull != null && stallMaxOrNull.isNegative()) {
      throw new IllegalArgumentException("a time is not negative: stallMax=" + stallMaxOrNull);
    }
  }

  /** Options with this durability, for a write that waits as long as it has to. */
  public static WriteOptions of(Durability durability) {
    return DEFAULTS.get(Objects.requireNonNull(durability, "durability"));
  }

  /** Returns these options for a write that waits so long at most. */
  public WriteOptions withStallMax(Duration stallMax) {
    return new WriteOptions(durability, Objects.requireNonNull(stallMax, "stallMax"));
  }
}
