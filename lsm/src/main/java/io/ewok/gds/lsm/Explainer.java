package io.ewok.gds.lsm;

import io.ewok.gds.lsm.cache.CachedRecord;
import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.VersionConsumer;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLookup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A get that takes notes.
 *
 * <p>Threads: confined to one.
 */
final class Explainer implements VersionConsumer {
  private final SearchKey key;
  private final TableLookup lookup;
  private final long sequence;
  private final long expiryFloor;
  private final RecordCache recordCacheOrNull;
  private final List<Explanation.Step> steps = new ArrayList<>();
  private final long startNanos = System.nanoTime();
  private boolean ended;

  /** Range deletes hide records of the key below. */
  private long rangeFloor;

  /** Whether there is a value, or an operand of which one is made. */
  private boolean found;

  /** What the place that is looked into knows; null as long as that is nothing. */
  private Explanation.Outcome inPlace;

  Explainer(
      SearchKey key,
      TableLookup lookup,
      long sequence,
      long expiryFloor,
      RecordCache recordCacheOrNull) {
    this.recordCacheOrNull = recordCacheOrNull;
    this.key = key;
    this.expiryFloor = expiryFloor;
    this.lookup = lookup;
    this.sequence = sequence;
  }

  /** One place to look into. */
  private interface Place {
    Explanation.Outcome find() throws IOException;
  }

  Explanation run(Version version, FamilyState family) throws IOException {
    rangeFloor = version.newestRangeDelete(family, key, sequence);
    look("memtable", version.active(), family);
    if (version.frozen() != null) {
      look("frozen memtable", version.frozen(), family);
    }
    if (recordCacheOrNull != null && !found) { // operands go past it
      look("record cache", () -> find(recordCacheOrNull, version, family));
    }
    for (int level = 0; level < Manifest.LEVELS; level++) {
      for (Table table : version.levels(family).level(level)) {
        look(level, table);
      }
    }
    return new Explanation(found, steps, System.nanoTime() - startNanos);
  }

  private void look(String name, Memtable memtable, FamilyState family) throws IOException {
    look(
        name,
        () -> {
          boolean unused = memtable.versions(family.id(), key, sequence, this);
          return outcome(Explanation.Outcome.ABSENT);
        });
  }

  private Explanation.Outcome find(RecordCache cache, Version version, FamilyState family) {
    CachedRecord record = new CachedRecord();
    long changed = version.levels(family).changedNumber();
    boolean unused =
        cache.find(key, family.id(), sequence, version.tablesNumber(), changed, record)
            && accept(record.stamp(), record.valueAddress(), record.valueBytes());
    return outcome(Explanation.Outcome.ABSENT);
  }

  private void look(int level, Table table) throws IOException {
    String name = "level %d, %s".formatted(level, table.path().getFileName());
    if (!table.meta().mayContain(key)) {
      look(name, () -> Explanation.Outcome.OUT_OF_RANGE);
    } else if (table.lastRecordSequence() < rangeFloor) {
      look(name, this::endInRange);
    } else {
      look(name, () -> find(table));
    }
  }

  /** No table from here on has what is not hidden. */
  private Explanation.Outcome endInRange() {
    ended = true;
    return Explanation.Outcome.RANGE_DELETED;
  }

  private Explanation.Outcome find(Table table) throws IOException {
    boolean unused = table.versions(key, RecordKind.searchStamp(sequence), lookup, this);
    return outcome(
        lookup.outcome() == TableLookup.Outcome.FILTERED
            ? Explanation.Outcome.FILTERED
            : Explanation.Outcome.ABSENT);
  }

  /** Takes the versions that a place has, and remembers the oldest. */
  @Override
  public boolean accept(long stamp, long valueAddress, int valueBytes) {
    if (RecordKind.sequence(stamp) < expiryFloor) {
      ended = true;
      inPlace = Explanation.Outcome.EXPIRED;
      return false;
    }
    if (RecordKind.sequence(stamp) < rangeFloor) {
      inPlace = endInRange();
      return false;
    }
    int kind = RecordKind.kind(stamp);
    ended = kind != RecordKind.OPERAND;
    found |= !RecordKind.isDelete(kind);
    inPlace =
        RecordKind.isDelete(kind)
            ? Explanation.Outcome.DELETED
            : ended ? Explanation.Outcome.FOUND : Explanation.Outcome.OPERANDS;
    return !ended;
  }

  private Explanation.Outcome outcome(Explanation.Outcome otherwise) {
    return inPlace == null ? otherwise : inPlace;
  }

  private void look(String name, Place place) throws IOException {
    if (ended) {
      return;
    }
    long from = System.nanoTime();
    long missesBefore = lookup.misses();
    inPlace = null;
    Explanation.Outcome outcome = place.find();
    steps.add(
        new Explanation.Step(
            name, outcome, lookup.misses() - missesBefore, System.nanoTime() - from));
  }
}
