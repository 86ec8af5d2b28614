package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/** Knows of records that are older than those of the same key that are written again. */
interface OlderRecords {
  /** There are none. */
  OlderRecords NONE = always(false);

  /** There may be some of every key. */
  OlderRecords UNKNOWN = always(true);

  /** Whether there may be some. Keys that are asked for ascend. */
  boolean mayHave(SearchKey key);

  /** The same, found out more exactly as far as that needs no reading. */
  boolean mayHaveByFilters(SearchKey key);

  /** Whether there may be some of a key from one, inclusive, to another, exclusive. */
  boolean mayHaveBetween(MemorySegment first, MemorySegment end);

  private static OlderRecords always(boolean answer) {
    return new OlderRecords() {
      @Override
      public boolean mayHave(SearchKey key) {
        return answer;
      }

      @Override
      public boolean mayHaveByFilters(SearchKey key) {
        return answer;
      }

      @Override
      public boolean mayHaveBetween(MemorySegment first, MemorySegment end) {
        return answer;
      }
    };
  }
}
