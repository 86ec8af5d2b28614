package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreStats;

/** What the tables of all levels come to. */
final class TableSums {
  private TableSums() {}

  static long tables(StoreStats stats) {
    return stats.levels().stream().mapToLong(StoreStats.Level::tables).sum();
  }

  static long bytes(StoreStats stats) {
    return stats.levels().stream().mapToLong(StoreStats.Level::bytes).sum();
  }

  /** Records, those that others have overwritten and deletes included. */
  static long entries(StoreStats stats) {
    return stats.levels().stream().mapToLong(StoreStats.Level::entries).sum();
  }

  static String text(StoreStats stats) {
    return "%s tables, %s, %s records"
        .formatted(
            Units.count(tables(stats)), Units.bytes(bytes(stats)), Units.count(entries(stats)));
  }
}
