package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueFileMeta;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * One change of a {@link Manifest}, which happens as a whole or not at all.
 *
 * @param created see {@link Manifest}, as the next four: their values after the edit
 * @param nextNumber number of the next table
 * @param horizonLsn records of the log up to here are in the tables
 * @param lastSequence newest sequence number in the tables
 * @param nextFamily number of the next family
 * @param main what is to be said of the default family after the edit
 * @param families the same of other families: those that are new or change
 * @param dropped numbers of families that are gone, with their tables
 * @param added new tables; those of level 0 go before the ones that are there, in this order
 * @param removed numbers of tables that are no longer part of the store, or go to another level
 * @param values new value files; those that no table refers to after the edit are gone
 */
record ManifestEdit(
    boolean created,
    long nextNumber,
    long horizonLsn,
    long lastSequence,
    int nextFamily,
    FamilyEdit main,
    List<FamilyEdit> families,
    List<Integer> dropped,
    List<Added> added,
    List<Long> removed,
    List<ValueFileMeta> values) {

  /** A table and the level it goes to. */
  record Added(int level, TableMeta meta) {}

  ManifestEdit {
    families = List.copyOf(families);
    dropped = List.copyOf(dropped);
    added = List.copyOf(added);
    removed = List.copyOf(removed);
    values = List.copyOf(values);
  }

  ManifestEdit withState(boolean isCreated, long number, long lsn, long sequence) {
    return with(
        draft -> {
          draft.created = isCreated;
          draft.nextNumber = number;
          draft.horizonLsn = lsn;
          draft.lastSequence = sequence;
        });
  }

  ManifestEdit withCreated() {
    return with(draft -> draft.created = true);
  }

  ManifestEdit withNextNumber(long number) {
    return with(draft -> draft.nextNumber = number);
  }

  /** Names the operator of the default family. */
  ManifestEdit withMergeOperator(String name) {
    return with(draft -> draft.main = main.withMergeOperator(name));
  }

  /** Says what has expired of the default family. */
  ManifestEdit withWriteTimes(WriteTimes times) {
    return with(draft -> draft.main = main.withWriteTimes(times));
  }

  /** The edit of a flush: the tables have the log up to here. */
  ManifestEdit withHorizon(long lsn, long sequence) {
    return with(
        draft -> {
          draft.horizonLsn = lsn;
          draft.lastSequence = sequence;
        });
  }

  /** Says something of a family that is there. */
  ManifestEdit withFamily(FamilyEdit family) {
    return with(
        draft -> {
          if (family.id() == Manifest.MAIN) {
            draft.main = family;
          } else {
            draft.families.add(family);
          }
        });
  }

  ManifestEdit withNextFamily(int number) {
    return with(draft -> draft.nextFamily = number);
  }

  /** Creates a family, with the next number. */
  ManifestEdit creating(FamilyEdit family) {
    return with(
        draft -> {
          draft.families.add(family);
          draft.nextFamily = family.id() + 1;
        });
  }

  /** Drops a family with its tables. */
  ManifestEdit dropping(int family) {
    return with(draft -> draft.dropped.add(family));
  }

  ManifestEdit adding(int level, List<TableMeta> metas) {
    return with(draft -> metas.forEach(meta -> draft.added.add(new Added(level, meta))));
  }

  ManifestEdit addingValues(List<ValueFileMeta> metas) {
    return with(draft -> draft.values.addAll(metas));
  }

  ManifestEdit removing(List<TableMeta> metas) {
    return with(draft -> metas.forEach(meta -> draft.removed.add(meta.number())));
  }

  private ManifestEdit with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.edit();
  }

  /** A copy that can be changed, so that each with-method names only what it changes. */
  private final class Draft {
    boolean created = ManifestEdit.this.created;
    long nextNumber = ManifestEdit.this.nextNumber;
    long horizonLsn = ManifestEdit.this.horizonLsn;
    long lastSequence = ManifestEdit.this.lastSequence;
    int nextFamily = ManifestEdit.this.nextFamily;
    FamilyEdit main = ManifestEdit.this.main;
    final List<FamilyEdit> families = new ArrayList<>(ManifestEdit.this.families);
    final List<Integer> dropped = new ArrayList<>(ManifestEdit.this.dropped);
    final List<Added> added = new ArrayList<>(ManifestEdit.this.added);
    final List<Long> removed = new ArrayList<>(ManifestEdit.this.removed);
    final List<ValueFileMeta> values = new ArrayList<>(ManifestEdit.this.values);

    ManifestEdit edit() {
      return new ManifestEdit(
          created,
          nextNumber,
          horizonLsn,
          lastSequence,
          nextFamily,
          main,
          families,
          dropped,
          added,
          removed,
          values);
    }
  }
}
