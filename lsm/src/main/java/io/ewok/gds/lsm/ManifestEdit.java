package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableMeta;
import java.util.ArrayList;
import java.util.List;

/**
 * One change of a {@link Manifest}, which happens as a whole or not at all.
 *
 * @param created see {@link Manifest}, as the next five: their values after the edit
 * @param nextNumber number of the next table
 * @param horizonLsn records of the log up to here are in the tables
 * @param lastSequence newest sequence number in the tables
 * @param mergeOperator name of the operator, or empty
 * @param writeTimes when records were written, and which have expired
 * @param added new tables; those of level 0 go before the ones that are there, in this order
 * @param removed numbers of tables that are no longer part of the store, or go to another level
 */
record ManifestEdit(
    boolean created,
    long nextNumber,
    long horizonLsn,
    long lastSequence,
    String mergeOperator,
    WriteTimes writeTimes,
    List<Added> added,
    List<Long> removed) {

  /** A table and the level it goes to. */
  record Added(int level, TableMeta meta) {}

  ManifestEdit {
    added = List.copyOf(added);
    removed = List.copyOf(removed);
  }

  ManifestEdit withCreated() {
    return new ManifestEdit(
        true, nextNumber, horizonLsn, lastSequence, mergeOperator, writeTimes, added, removed);
  }

  ManifestEdit withNextNumber(long number) {
    return new ManifestEdit(
        created, number, horizonLsn, lastSequence, mergeOperator, writeTimes, added, removed);
  }

  ManifestEdit withMergeOperator(String name) {
    return new ManifestEdit(
        created, nextNumber, horizonLsn, lastSequence, name, writeTimes, added, removed);
  }

  ManifestEdit withWriteTimes(WriteTimes times) {
    return new ManifestEdit(
        created, nextNumber, horizonLsn, lastSequence, mergeOperator, times, added, removed);
  }

  /** The edit of a flush: the tables have the log up to here. */
  ManifestEdit withHorizon(long lsn, long sequence) {
    return new ManifestEdit(
        created, nextNumber, lsn, sequence, mergeOperator, writeTimes, added, removed);
  }

  ManifestEdit adding(int level, List<TableMeta> metas) {
    List<Added> more = new ArrayList<>(added);
    metas.forEach(meta -> more.add(new Added(level, meta)));
    return new ManifestEdit(
        created, nextNumber, horizonLsn, lastSequence, mergeOperator, writeTimes, more, removed);
  }

  ManifestEdit removing(List<TableMeta> metas) {
    List<Long> more = new ArrayList<>(removed);
    metas.forEach(meta -> more.add(meta.number()));
    return new ManifestEdit(
        created, nextNumber, horizonLsn, lastSequence, mergeOperator, writeTimes, added, more);
  }
}
