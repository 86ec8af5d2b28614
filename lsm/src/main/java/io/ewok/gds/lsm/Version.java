package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * What a reader sees: the memtables and tables that make up the store at one time. Immutable,
 * except that the active memtable goes on taking records.
 *
 * <p>Ownership: counted; retains all it consists of and releases it when the last reader leaves.
 * {@link VersionSet} is the first user.
 *
 * <p>Threads: any.
 */
final class Version {
  private final References references = new References();
  private final Memtable active;
  private final Memtable frozen;
  private final List<Table> level0;
  private final List<Table> level1;

  /**
   * A version of these parts, each alive during the call.
   *
   * @param frozen the memtable that is to be flushed, or null
   * @param level0 flushed tables in the order in which a key is looked for: newest first
   * @param level1 one run, in the order of the keys
   */
  Version(Memtable active, Memtable frozen, List<Table> level0, List<Table> level1) {
    this.active = active;
    this.frozen = frozen;
    this.level0 = List.copyOf(level0);
    this.level1 = List.copyOf(level1);
    active.references.retain();
    if (frozen != null) {
      frozen.references.retain();
    }
    level0.forEach(table -> table.references.retain());
    level1.forEach(table -> table.references.retain());
  }

  Memtable active() {
    return active;
  }

  /** The memtable that is to be flushed, or null. */
  Memtable frozen() {
    return frozen;
  }

  List<Table> level0() {
    return level0;
  }

  List<Table> level1() {
    return level1;
  }

  List<Table> tables() {
    List<Table> tables = new ArrayList<>(level0);
    tables.addAll(level1);
    return tables;
  }

  /** The table of the run that may contain a key, or null. */
  Table tableOfRun(SearchKey key) {
    int low = 0;
    int high = level1.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (key.compareTo(level1.get(middle).meta().lastKey()) > 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < level1.size() && level1.get(low).meta().mayContain(key) ? level1.get(low) : null;
  }

  /** New sources over everything, as of a sequence number. The caller closes them. */
  RecordSource[] sources(long sequence) {
    List<RecordSource> sources = new ArrayList<>();
    sources.add(new MemtableSource(active, sequence));
    if (frozen != null) {
      sources.add(new MemtableSource(frozen, sequence));
    }
    addTableSources(sources, sequence);
    return sources.toArray(RecordSource[]::new);
  }

  /** New sources over all tables and no memtable. The caller closes them. */
  RecordSource[] tableSources() {
    List<RecordSource> sources = new ArrayList<>();
    addTableSources(sources, RecordKind.SEQUENCE_MAX);
    return sources.toArray(RecordSource[]::new);
  }

  private void addTableSources(List<RecordSource> sources, long sequence) {
    for (Table table : level0) {
      sources.add(new RunSource(List.of(table), sequence));
    }
    if (!level1.isEmpty()) {
      sources.add(new RunSource(level1, sequence));
    }
  }

  boolean tryRetain() {
    return references.tryRetain();
  }

  /** Leaves the version. Returns whether the last reader has left. */
  boolean release() {
    if (!references.release()) {
      return false;
    }
    active.release();
    if (frozen != null) {
      frozen.release();
    }
    level0.forEach(Table::release);
    level1.forEach(Table::release);
    return true;
  }
}
