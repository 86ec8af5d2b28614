package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreStats;
import java.util.List;

/**
 * What tables come to.
 *
 * @param tables how many there are
 * @param bytes their size
 * @param entries their records, those that others have overwritten and deletes included
 */
record TableSums(long tables, long bytes, long entries) {
  /** Of all families. */
  static TableSums of(StoreStats stats) {
    return sum(stats.levels());
  }

  /** Of several families. */
  static TableSums of(List<StoreStats.OfFamily> families) {
    return sum(families.stream().flatMap(family -> family.levels().stream()).toList());
  }

  /** Of one family, which there is. */
  static TableSums of(StoreStats stats, String family) {
    return stats.families().stream()
        .filter(each -> each.name().equals(family))
        .map(each -> sum(each.levels()))
        .findFirst()
        .orElseThrow();
  }

  static TableSums sum(List<StoreStats.Level> levels) {
    return new TableSums(
        levels.stream().mapToLong(StoreStats.Level::tables).sum(),
        levels.stream().mapToLong(StoreStats.Level::bytes).sum(),
        levels.stream().mapToLong(StoreStats.Level::entries).sum());
  }

  String text() {
    return "%s, %s, %s"
        .formatted(
            Units.count(tables, "table"), Units.bytes(bytes), Units.count(entries, "record"));
  }
}
