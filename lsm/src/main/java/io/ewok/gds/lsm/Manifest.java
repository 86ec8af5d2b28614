package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.TableMeta;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What makes up a store on disk besides its log: the sum of the edits in the manifest file.
 *
 * @param created whether the log was created too; until then there is nothing to lose
 * @param nextNumber number of the next table; all tables have smaller ones
 * @param horizonLsn records of the log up to here are in the tables
 * @param lastSequence newest sequence number in the tables, 0 if there is none
 * @param mergeOperator name of the operator that operands are for; empty as long as there are none
 * @param writeTimes when records were written, and which have expired
 * @param levels {@link #LEVELS} lists: level 0 in the order in which a key is looked for, newest
 *     first; each other one a run, in the order of its keys
 */
record Manifest(
    boolean created,
    long nextNumber,
    long horizonLsn,
    long lastSequence,
    String mergeOperator,
    WriteTimes writeTimes,
    List<List<TableMeta>> levels) {

  /** The number of levels; with the usual growth from one to the next far more than fit a disk. */
  static final int LEVELS = 7;

  /** The manifest of a store that is about to be created. */
  static final Manifest EMPTY =
      new Manifest(false, 1, 0, 0, "", WriteTimes.NONE, Collections.nCopies(LEVELS, List.of()));

  /**
   * Tables of a run. They overlap in one key at most, whose versions filled a table; those of the
   * first table are newer.
   */
  static final Comparator<TableMeta> RUN_ORDER =
      Comparator.comparing(TableMeta::firstKey, Keys::compare)
          .thenComparing(TableMeta::lastKey, Keys::compare)
          .thenComparing(Comparator.comparingLong(TableMeta::lastSequence).reversed());

  Manifest {
    levels = levels.stream().map(List::copyOf).toList();
  }

  /** An edit that changes nothing yet. */
  ManifestEdit edit() {
    return new ManifestEdit(
        created,
        nextNumber,
        horizonLsn,
        lastSequence,
        mergeOperator,
        writeTimes,
        List.of(),
        List.of());
  }

  /** The edit that makes this manifest out of {@link #EMPTY}. */
  ManifestEdit snapshot() {
    ManifestEdit edit = edit();
    for (int level = 0; level < LEVELS; level++) {
      edit = edit.adding(level, levels.get(level));
    }
    return edit;
  }

  /**
   * Returns the manifest after an edit.
   *
   * @throws IllegalArgumentException if the edit does not fit this manifest
   */
  Manifest after(ManifestEdit edit) {
    require(created ? edit.created() : true, "creation is undone", 0);
    require(edit.nextNumber() >= nextNumber, "table numbers run backward", edit.nextNumber());
    require(edit.horizonLsn() >= horizonLsn, "the log runs backward", edit.horizonLsn());
    require(
        edit.lastSequence() >= lastSequence && edit.lastSequence() <= RecordKind.SEQUENCE_MAX,
        "sequence numbers run backward",
        edit.lastSequence());
    require(
        mergeOperator.isEmpty() || edit.mergeOperator().equals(mergeOperator),
        "the merge operator changes",
        edit.mergeOperator().length());
    require(
        edit.writeTimes().isSound() && edit.writeTimes().expiryFloor() >= writeTimes.expiryFloor(),
        "what has expired comes back",
        edit.writeTimes().expiryFloor());
    List<List<TableMeta>> next = new ArrayList<>();
    Set<Long> gone = new HashSet<>(edit.removed());
    for (List<TableMeta> level : levels) {
      next.add(new ArrayList<>(level));
    }
    int found = 0;
    for (List<TableMeta> level : next) {
      int before = level.size();
      level.removeIf(meta -> gone.contains(meta.number()));
      found += before - level.size();
    }
    require(
        found == edit.removed().size(),
        "a table that is not there is removed",
        gone.size() - found);
    int newest = 0;
    for (ManifestEdit.Added added : edit.added()) {
      requireSound(added, edit);
      next.get(added.level()).add(added.level() == 0 ? newest++ : 0, added.meta());
    }
    for (List<TableMeta> run : next.subList(1, LEVELS)) {
      run.sort(RUN_ORDER);
      for (int i = 1; i < run.size(); i++) {
        require(
            Keys.compare(run.get(i - 1).lastKey(), run.get(i).firstKey()) <= 0,
            "tables of a run overlap",
            run.get(i).number());
      }
    }
    Manifest after =
        new Manifest(
            edit.created(),
            edit.nextNumber(),
            edit.horizonLsn(),
            edit.lastSequence(),
            edit.mergeOperator(),
            edit.writeTimes(),
            next);
    long tables = next.stream().mapToLong(List::size).sum();
    require(after.tableNumbers().size() == tables, "a table is there twice", tables);
    return after;
  }

  private static void requireSound(ManifestEdit.Added added, ManifestEdit edit) {
    TableMeta meta = added.meta();
    require(added.level() >= 0 && added.level() < LEVELS, "there is no such level", added.level());
    require(
        meta.number() > 0 && meta.number() < edit.nextNumber(),
        "a table's number is not below the next one",
        meta.number());
    require(
        meta.sizeBytes() > 0 && meta.lastSequence() <= edit.lastSequence(),
        "a table's size or sequence is out of range",
        meta.number());
    require(
        Keys.compare(meta.firstKey(), meta.lastKey()) <= 0,
        "a table's keys are out of order",
        meta.number());
  }

  private static void require(boolean sound, String defect, long value) {
    if (!sound) {
      throw new IllegalArgumentException(defect + ": value=" + value);
    }
  }

  /** The tables of one level. */
  List<TableMeta> level(int level) {
    return levels.get(level);
  }

  Set<Long> tableNumbers() {
    Set<Long> numbers = new HashSet<>();
    levels.forEach(level -> level.forEach(meta -> numbers.add(meta.number())));
    return numbers;
  }
}
