package io.ewok.gds.allocator;

import java.util.Objects;

/**
 * Which pages a {@link Region} asked for and which it has.
 *
 * <p>A value; threads: any.
 *
 * @param requested what the options said
 * @param effective what the kernel agreed to
 * @param reason why the two differ, for people; empty if they do not
 */
public record PageBacking(HugePages requested, HugePages effective, String reason) {

  /** Checks that nothing is missing. */
  public PageBacking {
    Objects.requireNonNull(requested, "requested");
    Objects.requireNonNull(effective, "effective");
    Objects.requireNonNull(reason, "reason");
  }

  /** Returns what was agreed to, and why not what was asked for. */
  @Override
  public String toString() {
    return requested == effective
        ? effective.toString()
        : effective + " instead of " + requested + " (" + reason + ")";
  }
}
