package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.TableMeta;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a {@link Manifest} says of one family.
 *
 * @param about number, name, operator and times
 * @param levels {@link Manifest#LEVELS} lists: level 0 in the order in which a key is looked for,
 *     newest first; each other one a run, in the order of its keys
 */
record FamilyManifest(FamilyEdit about, List<List<TableMeta>> levels) {
  /**
   * Tables of a run. They overlap in one key at most, whose versions filled a table; those of the
   * first table are newer.
   */
  static final Comparator<TableMeta> RUN_ORDER =
      Comparator.comparing(TableMeta::firstKey, Keys::compare)
          .thenComparing(TableMeta::lastKey, Keys::compare)
          .thenComparing(Comparator.comparingLong(TableMeta::lastSequence).reversed());

  FamilyManifest {
    levels = levels.stream().map(List::copyOf).toList();
  }

  /** Number of the family. */
  int id() {
    return about.id();
  }

  String name() {
    return about.name();
  }

  /** Name of the operator that operands are for; empty as long as there are none. */
  String mergeOperator() {
    return about.mergeOperator();
  }

  WriteTimes writeTimes() {
    return about.writeTimes();
  }

  /** The tables of one level. */
  List<TableMeta> level(int level) {
    return levels.get(level);
  }

  /** All tables. */
  List<TableMeta> tables() {
    return levels.stream().flatMap(List::stream).toList();
  }

  /** Whether a table is in a file that another family has written. */
  boolean hasClonedTables() {
    return levels.stream().flatMap(List::stream).anyMatch(TableMeta::isCloned);
  }

  /**
   * Returns it after an edit.
   *
   * @param next what is said of it then
   * @param removed numbers of tables of the store that are removed
   * @param added tables of this family that are added
   * @throws IllegalArgumentException if the edit does not fit
   */
  FamilyManifest after(FamilyEdit next, List<Long> removed, List<ManifestEdit.Added> added) {
    about.requireNext(next);
    List<List<TableMeta>> changed = new ArrayList<>();
    Set<Long> gone = new HashSet<>(removed);
    for (List<TableMeta> level : levels) {
      changed.add(new ArrayList<>(level));
      changed.getLast().removeIf(meta -> gone.contains(meta.number()));
    }
    int newest = 0;
    for (ManifestEdit.Added table : added) {
      changed.get(table.level()).add(table.level() == 0 ? newest++ : 0, table.meta());
    }
    for (List<TableMeta> run : changed.subList(1, Manifest.LEVELS)) {
      run.sort(RUN_ORDER);
      for (int i = 1; i < run.size(); i++) {
        Manifest.require(
            Keys.compare(run.get(i - 1).lastKey(), run.get(i).firstKey()) <= 0,
            "tables of a run overlap",
            run.get(i).number());
      }
    }
    return new FamilyManifest(next, changed);
  }
}
