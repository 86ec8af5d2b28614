package io.ewok.gds.lsm;

import io.ewok.gds.buffers.NotCachedException;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLookup;
import java.io.IOException;

/**
 * Looks for keys in tables as far as that needs no reading.
 *
 * <p>Threads: confined to one.
 */
final class CachedLookup {
  private final TableLookup lookup = new TableLookup();

  CachedLookup() {
    lookup.onlyCached(true);
  }

  /** Whether a table may have some record of a key. */
  boolean mayHave(Table table, SearchKey key) {
    try {
      return table.find(key, RecordKind.searchStamp(RecordKind.SEQUENCE_MAX), lookup);
    } catch (NotCachedException | IOException e) {
      return true; // what is damaged is found by who needs it
    } finally {
      lookup.unfix();
    }
  }
}
