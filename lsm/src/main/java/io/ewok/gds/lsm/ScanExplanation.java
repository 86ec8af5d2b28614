package io.ewok.gds.lsm;

import java.util.List;
import java.util.stream.Collectors;

/**
 * How one scan went: see {@link ReadView#explainScan}.
 *
 * @param returned records that the scan showed
 * @param hidden versions that it looked at and passed by: there is a newer one of their key, or
 *     they are newer than the view. Of versions that lie in one memtable only the first is looked
 *     at
 * @param deleted keys that it passed by since their newest record is a delete
 * @param rangeDeleted keys that it passed by since a range delete hides them; those that it jumped
 *     over are not counted
 * @param filtered records that the cursor's filter rejected
 * @param complete whether it came to the end, not to as many records as were wanted
 * @param sources all memtables and tables that there were, the newest first
 * @param nanos time for all of it, in nanoseconds
 */
public record ScanExplanation(
    long returned,
    long hidden,
    long deleted,
    long rangeDeleted,
    long filtered,
    boolean complete,
    List<Source> sources,
    long nanos) {

  /** Copies the list. */
  public ScanExplanation {
    sources = List.copyOf(sources);
  }

  /** What became of one source. */
  public enum Outcome {
    /** All its keys are beyond the bounds: it was left out. */
    OUT_OF_BOUNDS,
    /** Its filters say that no key has the wanted prefix: nothing else of it was read. */
    FILTERED,
    /** The scan did not get so far. */
    NOT_REACHED,
    /** The scan looked into it. */
    READ
  }

  /**
   * One memtable or table.
   *
   * @param place the memtable, the frozen memtable, or a table by its level and file
   * @param outcome what became of it
   * @param filterBlocks filters asked for the prefix
   * @param indexBlocks roots and partitions of the index that were looked into
   * @param dataBlocks data blocks that were looked into. Blocks that were looked into again after
   *     the scan had left them count again
   * @param blocksRead how many of all these were not in the pool. A memtable that was flushed
   *     meanwhile is read from its tables, which count as it
   * @param hidden versions that were passed by for others of this source
   */
  public record Source(
      String place,
      Outcome outcome,
      long filterBlocks,
      long indexBlocks,
      long dataBlocks,
      long blocksRead,
      long hidden) {}

  /** Returns blocks that were not in the pool. */
  public long blocksRead() {
    return sources.stream().mapToLong(Source::blocksRead).sum();
  }

  /** Returns blocks that were looked into, in the pool or not. */
  public long blocks() {
    return sources.stream()
        .mapToLong(source -> source.filterBlocks + source.indexBlocks + source.dataBlocks)
        .sum();
  }

  /** Returns it for people, a line for each source. */
  @Override
  public String toString() {
    return sources.stream()
        .map(
            source ->
                "%-34s %-13s filter=%d index=%d data=%d blocksRead=%d hidden=%d%n"
                    .formatted(
                        source.place,
                        source.outcome,
                        source.filterBlocks,
                        source.indexBlocks,
                        source.dataBlocks,
                        source.blocksRead,
                        source.hidden))
        .collect(
            Collectors.joining(
                "",
                "",
                "returned=%d hidden=%d deleted=%d rangeDeleted=%d filtered=%d complete=%s blocks=%d blocksRead=%d nanos=%d"
                    .formatted(
                        returned,
                        hidden,
                        deleted,
                        rangeDeleted,
                        filtered,
                        complete,
                        blocks(),
                        blocksRead(),
                        nanos)));
  }
}
