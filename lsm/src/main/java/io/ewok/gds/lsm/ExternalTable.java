package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A file that a {@link StoreTableWriter} has written, to be read once. Threads: one at a time. */
final class ExternalTable implements AutoCloseable {
  private static final long POOL_BYTES_MIN = 4 << 20;

  /** What a block of a large value may take in the pool, with the one before and the index. */
  private static final int VALUES = 4;

  private final StoreInspection inspection;
  private final StoreInspection.TableFile table;

  private ExternalTable(StoreInspection inspection, StoreInspection.TableFile table) {
    this.inspection = inspection;
    this.table = table;
  }

  /**
   * Opens a file.
   *
   * @throws StorageException if it is something else
   */
  static ExternalTable open(IoEngine engine, Path file, StoreOptions options) throws IOException {
    long poolBytes = Math.max(POOL_BYTES_MIN, (long) VALUES * options.batchBytesMax());
    StoreInspection inspection = StoreInspection.ofTable(engine, file, poolBytes);
    boolean isOpened = false;
    try {
      StoreInspection.TableFile table = inspection.tables().getFirst();
      StoreInspection.Properties properties = inspection.properties(table);
      if (properties.number() != StoreTableWriter.NUMBER
          || properties.firstSequence() != StoreTableWriter.SEQUENCE
          || properties.lastSequence() != StoreTableWriter.SEQUENCE) {
        throw new StorageException(
            "the table was not written to be ingested, it is one of a store", table.path());
      }
      isOpened = true;
      return new ExternalTable(inspection, table);
    } finally {
      if (!isOpened) {
        inspection.close();
      }
    }
  }

  /** Adds all records; after an exception some were. */
  void addTo(SortedIngest ingest) throws IOException {
    StoreInspection.Findings findings;
    try {
      findings =
          inspection.dump(table, (sequence, kind, key, value) -> add(ingest, kind, key, value));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (IllegalArgumentException e) {
      throw refused(e.getMessage(), e);
    }
    if (!findings.problems().isEmpty()) {
      throw refused(findings.problems().getFirst(), null);
    }
    if (findings.entries() != table.entries()) {
      throw refused("records are missing: entries=" + findings.entries(), null);
    }
  }

  private static void add(
      SortedIngest ingest, StoreInspection.Kind kind, MemorySegment key, MemorySegment value) {
    try {
      switch (kind) {
        case PUT -> ingest.put(key, value);
        case DELETE -> ingest.delete(key);
        default -> throw new IllegalArgumentException("a record of another kind: kind=" + kind);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private StorageException refused(String reason, Throwable causeOrNull) {
    return new StorageException(
        "the table cannot be ingested: " + reason, table.path(), causeOrNull);
  }

  @Override
  public void close() throws IOException {
    inspection.close();
  }
}
