package io.ewok.gds.lsm;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a store has done since it was opened, and what it holds: one reading of its counters. They
 * are read one after the other while work goes on, so sums over several may be off by what is in
 * flight.
 *
 * @param engine name of the I/O engine: URING, POOL or SIM
 * @param engineReason one sentence for people: the engine, its settings, and why not a better one
 * @param sequence sequence number up to which all is visible: where the newest write ends in the
 *     log. It never falls over the life of the store
 * @param written what was written
 * @param read what was read
 * @param levels the tables of all families, one element per level, level 0 (flushed, overlapping)
 *     first
 * @param families the same family by family, the default one first
 * @param sharedBytes what the sizes of tables count more than once, since families that were cloned
 *     share files, in bytes
 * @param memory what is used of the store's one memory budget
 * @param stalls waits of writers for the background thread
 * @param flushes memtables written as tables
 * @param merges merges of tables; those that were moved or dropped as they are not counted
 * @param openCursors cursors not yet closed
 * @param valueFiles files of values that tables refer to, see {@link
 *     TreeOptions#separatedValueBytes}
 * @param recordCache what is remembered of single keys, see {@link StoreOptions#recordCacheBytes}
 * @param archive what was copied of the log, see {@link StoreOptions#archiveOrNull}
 */
public record StoreStats(
    String engine,
    String engineReason,
    long sequence,
    Written written,
    Read read,
    List<Level> levels,
    List<OfFamily> families,
    long sharedBytes,
    Memory memory,
    Stalls stalls,
    long flushes,
    long merges,
    int openCursors,
    List<ValueFile> valueFiles,
    Records recordCache,
    Archive archive) {

  /** Copies the lists. */
  public StoreStats {
    valueFiles = List.copyOf(valueFiles);
    levels = List.copyOf(levels);
    families = List.copyOf(families);
  }

  /**
   * The tables of one family.
   *
   * @param name the family's
   * @param levels its levels
   * @param filesByKey by the number of the key that they are encrypted with, 0 for none, how many
   *     tables and value files there are; ascending. Each family counts those that it shares
   */
  public record OfFamily(String name, List<Level> levels, SortedMap<Integer, Long> filesByKey) {
    /** Copies list and map. */
    public OfFamily {
      levels = List.copyOf(levels);
      filesByKey = Collections.unmodifiableSortedMap(new TreeMap<>(filesByKey));
    }
  }

  /**
   * A value file.
   *
   * @param number names it; those of families that were cloned may have the same file
   * @param family name of the family that the values are of
   * @param bytes size of the file
   * @param entries values in it
   * @param entryBytes what these take, with their keys
   * @param liveBytes what tables of the family refer to of that; the rest is garbage, to it
   */
  public record ValueFile(
      long number, String family, long bytes, long entries, long entryBytes, long liveBytes) {

    /** Returns what no table of the family refers to, in bytes. */
    public long garbageBytes() {
      return entryBytes - liveBytes;
    }

    /**
     * Returns each file once that several families share, as the one of them sees it that refers to
     * most of it: there is no more garbage in it than that.
     */
    public static Collection<ValueFile> eachOnce(Collection<ValueFile> ofFamilies) {
      return ofFamilies.stream()
          .collect(
              Collectors.toMap(
                  ValueFile::number,
                  file -> file,
                  (one, other) -> one.garbageBytes() < other.garbageBytes() ? one : other))
          .values();
    }
  }

  /**
   * What was written.
   *
   * @param operations puts and deletes by the user
   * @param userBytes bytes of their keys and values
   * @param logBytes bytes of the log that these records took
   * @param flushBytes bytes of tables and value files written from memtables
   * @param mergeBytes bytes of tables and value files written by merges
   */
  public record Written(
      long operations, long userBytes, long logBytes, long flushBytes, long mergeBytes) {

    /** Returns the bytes written to the device per byte of the user, 0 before the first. */
    public double amplification() {
      return userBytes == 0 ? 0 : (double) (logBytes + flushBytes + mergeBytes) / userBytes;
    }
  }

  /**
   * What was read.
   *
   * @param gets gets by the user
   * @param deviceReads reads of the I/O engine, those of recovery and merges included; with a
   *     borrowed engine also those of its other users
   * @param deviceBytes bytes that these reads returned
   * @param blockHits table blocks found in the pool
   * @param blockMisses table blocks read from the device
   */
  public record Read(
      long gets, long deviceReads, long deviceBytes, long blockHits, long blockMisses) {

    /** Returns the blocks looked into per get, cursors and compactions included, 0 before one. */
    public double amplification() {
      return gets == 0 ? 0 : (double) (blockHits + blockMisses) / gets;
    }

    /** Returns the part of the block accesses that needed no device, 0 to 1; 0 before the first. */
    public double hitRatio() {
      long accesses = blockHits + blockMisses;
      return accesses == 0 ? 0 : (double) blockHits / accesses;
    }
  }

  /**
   * The record cache. All numbers are 0 without one.
   *
   * @param hits gets that found their record in it
   * @param misses gets that looked for it there, and then into tables
   * @param records records in it
   * @param recordBytes what they take of it
   * @param limitBytes its size
   */
  public record Records(long hits, long misses, long records, long recordBytes, long limitBytes) {

    /** Returns the part of the searches that found a record, 0 to 1; 0 before the first. */
    public double hitRatio() {
      return hits + misses == 0 ? 0 : (double) hits / (hits + misses);
    }
  }

  /**
   * The archive of the log.
   *
   * @param directory where it is; empty if there is none, and then the rest is 0 and empty
   * @param sequence sequence number up to which it has everything
   * @param files written to it since the opening
   * @param bytes what these have
   * @param failure why it took nothing the last time, for people; empty if it did. It is tried
   *     again each second; writers wait when the log is full
   */
  public record Archive(String directory, long sequence, long files, long bytes, String failure) {}

  /**
   * The tables of one level, and what compactions into it did.
   *
   * @param tables number of table files
   * @param bytes size of these files
   * @param entries records in them, shadowed versions and tombstones included
   * @param deletes tombstones in them
   * @param rangeDeletes deletes of ranges of keys in them; one whose keys lie in several tables
   *     counts in each
   * @param score how large the level is, 1 if it is as large as it should be; the deepest has 0; of
   *     several families the highest
   * @param compactions merges of tables into this level
   * @param moves times that tables came to this level as they were
   * @param readBytes bytes of the tables that were merged
   * @param writtenBytes bytes of the tables that were made of them
   */
  public record Level(
      int tables,
      long bytes,
      long entries,
      long deletes,
      long rangeDeletes,
      double score,
      long compactions,
      long moves,
      long readBytes,
      long writtenBytes) {

    /** Both together. */
    Level plus(Level other) {
      return new Level(
          tables + other.tables,
          bytes + other.bytes,
          entries + other.entries,
          deletes + other.deletes,
          rangeDeletes + other.rangeDeletes,
          Math.max(score, other.score),
          compactions + other.compactions,
          moves + other.moves,
          readBytes + other.readBytes,
          writtenBytes + other.writtenBytes);
    }
  }

  /**
   * The store's memory outside of the heap.
   *
   * @param usedBytes reserved now
   * @param peakBytes most that was reserved at once
   * @param limitBytes {@link StoreOptions#memoryBytes}, never exceeded
   */
  public record Memory(long usedBytes, long peakBytes, long limitBytes) {}

  /**
   * Waits of writers for the background thread.
   *
   * @param count waits
   * @param nanos time waited, in nanoseconds
   * @param byReason the same for each reason
   */
  public record Stalls(long count, long nanos, Map<StallReason, Stall> byReason) {
    /** Copies the map. */
    public Stalls {
      byReason = Map.copyOf(byReason);
    }
  }

  /**
   * Waits of writers for one reason.
   *
   * @param count waits
   * @param nanos time waited, in nanoseconds; also in delays too short to be counted or told of
   */
  public record Stall(long count, long nanos) {}

  /**
   * Returns how many times more bytes the tables have than those of the deepest level of each
   * family, which have each key once: an estimate of what old versions and deletes cost. 0 without
   * tables.
   */
  public double spaceAmplification() {
    long all = 0;
    long deepest = 0;
    for (OfFamily family : families) {
      long last = 0;
      for (Level level : family.levels()) {
        all += level.bytes();
        last = level.bytes() > 0 ? level.bytes() : last;
      }
      deepest += last;
    }
    return deepest == 0 ? 0 : (double) all / deepest;
  }
}
