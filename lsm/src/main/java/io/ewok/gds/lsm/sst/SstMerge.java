package io.ewok.gds.lsm.sst;

import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Many tables as one: the newest record of each key, in the order of keys. Of equal sequence
 * numbers, as tables have that were never part of a database, the later table has the newer.
 *
 * <p>All tables are looked at first, so that one that cannot be imported is met early; then a table
 * is open only from its first to its last record, as those of one level come one after the other.
 *
 * <p>Confined to one thread.
 */
final class SstMerge implements Closeable {
  private static final Comparator<Source> NEWEST_OF_FIRST_KEY =
      Comparator.comparing(Source::key, Arrays::compareUnsigned)
          .thenComparing(Comparator.comparingLong(Source::sequence).reversed())
          .thenComparing(Comparator.comparingInt(Source::rank).reversed());

  private final PriorityQueue<Source> sources = new PriorityQueue<>(NEWEST_OF_FIRST_KEY);
  private final Set<SstTable> openTables = new HashSet<>();
  private final RangeDeletes rangeDeletes = new RangeDeletes();
  private long totalBytes;
  private long closedBytes;
  private byte[] key;
  private byte[] value;

  /** Looks at all tables. */
  SstMerge(List<TableFile> tables) throws IOException {
    for (int rank = 0; rank < tables.size(); rank++) {
      add(tables.get(rank), rank, tables.size() == 1);
    }
    rangeDeletes.sort();
  }

  private void add(TableFile file, int rank, boolean alone) throws IOException {
    try (SstTable table = SstTable.open(file)) {
      List<RangeDeletes.Range> ranges = table.rangeDeletes();
      if (!ranges.isEmpty() && file.boundsOrNull() == null && !alone) {
        throw new UnsupportedContentException(
            file.path(),
            "a table with range deletions is imported alone, or with the directory of its"
                + " database");
      }
      ranges.forEach(range -> rangeDeletes.add(range, file.boundsOrNull()));
      totalBytes += table.sizeBytes();
      if (table.next()) {
        sources.add(new Source(file, rank, table.key()));
      }
    }
  }

  /** The size of all tables. */
  long totalBytes() {
    return totalBytes;
  }

  /** How much of it is done. */
  long doneBytes() {
    long bytes = closedBytes;
    for (SstTable table : openTables) {
      bytes += table.bytesRead();
    }
    return bytes;
  }

  /** Moves to the next key; false at the end. */
  boolean next() throws IOException {
    Source newest = first();
    if (newest == null) {
      return false;
    }
    key = newest.key();
    value = valueOrNull(newest.table);
    do {
      sources.remove();
      if (newest.table.next()) {
        newest.key = newest.table.key();
        sources.add(newest);
      } else {
        close(newest.table);
      }
      newest = first();
    } while (newest != null && Arrays.equals(newest.key(), key));
    return true;
  }

  /** The source with the newest record of the least key, open; null at the end. */
  private Source first() throws IOException {
    for (Source first = sources.peek(); first != null; first = sources.peek()) {
      if (first.table != null) {
        return first;
      }
      sources.remove();
      open(first);
      sources.add(first);
    }
    return null;
  }

  private byte[] valueOrNull(SstTable newest) throws IOException {
    if (rangeDeletes.isNewer(newest.key(), newest.sequence())
        || SstFormat.isDelete(newest.kind())) {
      return null;
    }
    if (newest.kind() != SstFormat.PUT) {
      throw newest.unsupported(
          "a record cannot be taken over into a store, it is a "
              + SstFormat.kindName(newest.kind()));
    }
    return newest.copyValue();
  }

  private void open(Source source) throws IOException {
    SstTable table = SstTable.open(source.file);
    openTables.add(table);
    if (!table.next() || !Arrays.equals(table.key(), source.key)) {
      throw new UnsupportedContentException(
          source.file.path(), "a table changed while it was imported");
    }
    source.table = table;
  }

  private void close(SstTable table) throws IOException {
    closedBytes += table.sizeBytes();
    openTables.remove(table);
    table.close();
  }

  byte[] key() {
    return key;
  }

  /** The newest value; null if the newest record of the key is a delete. */
  byte[] valueOrNull() {
    return value;
  }

  @Override
  public void close() throws IOException {
    for (SstTable table : openTables) {
      table.close();
    }
    openTables.clear();
    sources.clear();
  }

  /** A table, before or at one of its records. */
  private static final class Source {
    private final TableFile file;
    private final int rank;
    private byte[] key;
    private SstTable table;

    Source(TableFile file, int rank, byte[] firstKey) {
      this.file = file;
      this.rank = rank;
      this.key = firstKey;
    }

    byte[] key() {
      return key;
    }

    /** Before it is open, it comes first of those with its key, so that it becomes open. */
    long sequence() {
      return table == null ? Long.MAX_VALUE : table.sequence();
    }

    int rank() {
      return rank;
    }
  }
}
