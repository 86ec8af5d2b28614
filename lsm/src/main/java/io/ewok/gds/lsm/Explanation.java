package io.ewok.gds.lsm;

import java.util.List;
import java.util.stream.Collectors;

/**
 * How one get went: see {@link ReadView#explain}.
 *
 * @param found whether the key has a value
 * @param steps where it was looked for, in this order
 * @param nanos time for all of it, in nanoseconds
 */
public record Explanation(boolean found, List<Step> steps, long nanos) {

  /** Copies the list. */
  public Explanation {
    steps = List.copyOf(steps);
  }

  /** What one place knew of the key. */
  public enum Outcome {
    /** The key is outside of the table's range: nothing was read. */
    OUT_OF_RANGE,
    /** The table's filter says that the key is not there. */
    FILTERED,
    /** It is not there. */
    ABSENT,
    /** It is there, as a delete: it has no value. */
    DELETED,
    /** It is there, and has expired: it has no value. */
    EXPIRED,
    /**
     * A range delete hides what is there of it, if anything is, and all older records: it has no
     * value.
     */
    RANGE_DELETED,
    /** There are operands of it, which change what older records say. */
    OPERANDS,
    /** It is there, with a value. */
    FOUND
  }

  /**
   * One place.
   *
   * @param place the memtable, the frozen memtable, the record cache, or a table by its level and
   *     file
   * @param outcome what it knew of the key
   * @param blocksRead blocks that were not in the pool
   * @param nanos time in nanoseconds
   */
  public record Step(String place, Outcome outcome, long blocksRead, long nanos) {}

  /** Returns blocks that were not in the pool. */
  public long blocksRead() {
    return steps.stream().mapToLong(Step::blocksRead).sum();
  }

  /** Returns it for people, a line for each step. */
  @Override
  public String toString() {
    return steps.stream()
        .map(
            step ->
                "%-24s %-12s blocksRead=%d nanos=%d%n"
                    .formatted(step.place, step.outcome, step.blocksRead, step.nanos))
        .collect(
            Collectors.joining(
                "", "", "found=%s blocksRead=%d nanos=%d".formatted(found, blocksRead(), nanos)));
  }
}
