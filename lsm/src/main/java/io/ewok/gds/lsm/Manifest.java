package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableMeta;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What makes up a store on disk besides its log: the content of the manifest file. See {@link
 * ManifestFormat}.
 *
 * @param created whether the log was created too; until then there is nothing to lose
 * @param nextNumber number of the next table; all tables have smaller ones
 * @param horizonLsn records of the log up to here are in the tables
 * @param lastSequence newest sequence number in the tables, 0 if there is none
 * @param level0 flushed tables in the order in which a key is looked for: newest first
 * @param level1 one run, in the order of the keys
 */
record Manifest(
    boolean created,
    long nextNumber,
    long horizonLsn,
    long lastSequence,
    List<TableMeta> level0,
    List<TableMeta> level1) {

  /** The manifest of a store that is about to be created. */
  static final Manifest EMPTY = new Manifest(false, 1, 0, 0, List.of(), List.of());

  Manifest {
    level0 = List.copyOf(level0);
    level1 = List.copyOf(level1);
  }

  Manifest withCreated() {
    return new Manifest(true, nextNumber, horizonLsn, lastSequence, level0, level1);
  }

  Set<Long> tableNumbers() {
    Set<Long> numbers = new HashSet<>();
    level0.forEach(meta -> numbers.add(meta.number()));
    level1.forEach(meta -> numbers.add(meta.number()));
    return numbers;
  }
}
