package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@link StoreRepair} found, did, and could not save.
 *
 * @param manifestProblem what was wrong with the manifest; empty if it is sound. Else it was made
 *     anew, from all table files there are. If one of these had been replaced already, and a crash
 *     had kept the store from deleting it, what was deleted or overwritten since may be back
 * @param logProblem what was wrong with the log; empty if it is sound
 * @param logIsLost whether nothing of the log could be kept: what was written since the last flush
 *     is gone. If there is a problem and this is false, the records that could be read were kept
 * @param archiveProblem what was wrong with the note of the archive of the log; empty if it is
 *     sound or there is none. Else the log is archived again, from there on, when the store is
 *     opened with {@link StoreOptions#archiveOrNull}
 * @param tables how many tables were looked at
 * @param damagedTables those of them that were not sound
 * @param setAside files that are no longer part of the store, by their new names: nothing of the
 *     repaired store needs them
 */
public record RepairReport(
    Optional<String> manifestProblem,
    Optional<String> logProblem,
    boolean logIsLost,
    Optional<String> archiveProblem,
    int tables,
    List<DamagedTable> damagedTables,
    List<Path> setAside) {

  /** Copies the lists. */
  public RepairReport {
    damagedTables = List.copyOf(damagedTables);
    setAside = List.copyOf(setAside);
  }

  /**
   * A table that was not sound.
   *
   * @param file its name before the repair
   * @param level where the manifest had it, or -1 if there was none
   * @param entries records that it once had, or -1 if nothing says how many
   * @param kept those of them that are in the repaired store
   * @param gaps where others were
   * @param problems what is wrong with it, for people
   */
  public record DamagedTable(
      Path file, int level, long entries, long kept, List<Gap> gaps, List<String> problems) {
    /** Copies the lists. */
    public DamagedTable {
      gaps = List.copyOf(gaps);
      problems = List.copyOf(problems);
    }
  }

  /**
   * A range of keys in which a table had records that cannot be read: newest values, older ones or
   * deletes. Keys in it may be missing or have the value, or be there again, that they had before.
   *
   * @param first key, perhaps kept; empty if it is not known
   * @param last key, perhaps kept; empty if it is not known
   */
  public record Gap(Optional<MemorySegment> first, Optional<MemorySegment> last) {}

  /** Whether nothing had to be repaired. */
  public boolean isSound() {
    return archiveProblem.isEmpty() && isSoundButForTheArchive();
  }

  /** The same of what the store has, which does not need its archive. */
  boolean isSoundButForTheArchive() {
    return manifestProblem.isEmpty() && logProblem.isEmpty() && damagedTables.isEmpty();
  }

  /** Whether everything that had been written is still there, as far as can be told. */
  public boolean isComplete() {
    return logProblem.isEmpty()
        && damagedTables.stream()
            .allMatch(table -> table.gaps().isEmpty() && table.kept() == table.entries());
  }
}
