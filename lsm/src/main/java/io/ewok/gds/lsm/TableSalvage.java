package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableInspection;
import io.ewok.gds.lsm.table.TableMeta;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Copies what can be read of a damaged table into new ones, and remembers where there are gaps.
 *
 * <p>Threads: confined to one. For one table.
 */
final class TableSalvage implements TableInspection.RecordConsumer {
  private final TableMeta meta;
  private final FamilyEdit family;
  private final RepairTables output;
  private final int level;
  private final List<RepairReport.Gap> gaps = new ArrayList<>();
  private final List<TableMeta> written = new ArrayList<>();

  private final List<RangeDelete> ranges = new ArrayList<>();
  private boolean lacksRanges;

  /** Those for tables that are still to be written; null before the first record. */
  private RangeOutput rangesLeft;

  private MemorySegment lastKey;
  private long lastStamp;
  private long kept;
  private boolean inGap;

  private TableSalvage(TableMeta meta, FamilyEdit family, RepairTables output, int level) {
    this.family = family;
    this.meta = meta;
    this.output = output;
    this.level = level;
  }

  /**
   * Copies the records of a table.
   *
   * @param family which it is of
   * @param level whose form the new tables have
   */
  static TableSalvage of(Table table, FamilyEdit family, RepairTables output, int level)
      throws IOException {
    TableSalvage salvage = new TableSalvage(table.meta(), family, output, level);
    TableInspection.dump(table, salvage);
    output.finishInto(salvage.family, salvage.rangesLeft(), level, salvage.written);
    if (salvage.lacksRanges) { // any key may be back that they have hidden
      TableMeta meta = table.meta();
      salvage.gaps.add(
          new RepairReport.Gap(Optional.of(meta.firstKey()), Optional.of(meta.lastKey())));
    }
    if (salvage.inGap) {
      salvage.endGap(Optional.of(table.meta().lastKey()));
    }
    return salvage;
  }

  @Override
  public void accept(long stamp, MemorySegment key, MemorySegment value) throws IOException {
    if (RecordKind.kind(stamp) == RecordKind.RANGE_DELETE) {
      ranges.add(new RangeDelete(Keys.copy(key), Keys.copy(value), RecordKind.sequence(stamp)));
      return;
    }
    if (!isInOrder(stamp, key)) {
      gap();
      return;
    }
    if (inGap) {
      endGap(Optional.of(Keys.copy(key)));
    }
    lastKey = Keys.copy(key);
    lastStamp = stamp;
    kept++;
    output.add(family, stamp, key, value, rangesLeft(), level, written);
  }

  /** The value stays where it is. */
  @Override
  public void acceptReference(
      long stamp, MemorySegment key, MemorySegment reference, MemorySegment referred)
      throws IOException {
    accept(stamp, key, reference);
  }

  /** They come before the records. */
  private RangeOutput rangesLeft() {
    if (rangesLeft == null) {
      rangesLeft = new RangeOutput(ranges);
    }
    return rangesLeft;
  }

  @Override
  public void rangesGap() {
    lacksRanges = true;
  }

  /** A forged table may have any record anywhere. */
  private boolean isInOrder(long stamp, MemorySegment key) {
    if (Keys.compare(key, meta.firstKey()) < 0
        || Keys.compare(key, meta.lastKey()) > 0
        || RecordKind.sequence(stamp) > meta.lastSequence()) {
      return false;
    }
    int order = lastKey == null ? -1 : Keys.compare(lastKey, key);
    return order < 0 || (order == 0 && RecordKind.compareStamps(lastStamp, stamp) < 0);
  }

  @Override
  public void gap() {
    inGap = true;
  }

  private void endGap(Optional<MemorySegment> nextKey) {
    inGap = false;
    MemorySegment before = lastKey == null ? meta.firstKey() : lastKey;
    gaps.add(new RepairReport.Gap(Optional.of(before), nextKey));
  }

  List<TableMeta> written() {
    return written;
  }

  long kept() {
    return kept;
  }

  List<RepairReport.Gap> gaps() {
    return gaps;
  }
}
