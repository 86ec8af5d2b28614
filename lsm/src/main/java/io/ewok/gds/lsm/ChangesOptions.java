package io.ewok.gds.lsm;

import java.util.Objects;

/**
 * How the changes of a store are read, see {@link Store#changes(long, ChangesOptions,
 * io.ewok.gds.allocator.MemoryBudget)}.
 *
 * @param durability how durable a write is before it is handed over, BUFFERED or SYNCED; default
 *     SYNCED
 * @param holdBytesMax how much of the log the reader holds back, in bytes: as long as it is no
 *     further behind than this, nothing that it has not read is overwritten, and writers wait for
 *     it when the log is full. Further behind it holds nothing, and has to be quick. Default 0:
 *     nobody waits for it. Raise it for a reader that must not miss anything; more than the log has
 *     means always. The cost: writers are no faster than the reader, and stop when it does
 */
@TakesEffect(StoreSetting.Effect.EACH_CALL)
public record ChangesOptions(Durability durability, long holdBytesMax) {
  private static final ChangesOptions DEFAULTS = new ChangesOptions(Durability.SYNCED, 0);

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the durability is NONE, or the number is below zero
   */
  public ChangesOptions {
    Objects.requireNonNull(durability, "durability");
    if (durability == Durability.NONE) {
      throw new IllegalArgumentException("what is read was written: durability=" + durability);
    }
    if (holdBytesMax < 0) {
      throw new IllegalArgumentException(
          "a number of bytes is not negative: holdBytesMax=" + holdBytesMax);
    }
  }

  /** Returns the defaults: what is durable, and nobody waits. */
  public static ChangesOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with another durability. */
  public ChangesOptions withDurability(Durability durability) {
    return new ChangesOptions(durability, holdBytesMax);
  }

  /** Returns these options for a reader that holds so many bytes of the log back. */
  public ChangesOptions withHoldBytesMax(long holdBytesMax) {
    return new ChangesOptions(durability, holdBytesMax);
  }
}
