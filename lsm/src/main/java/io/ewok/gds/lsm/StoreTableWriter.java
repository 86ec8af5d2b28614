package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Writes a table file outside of any store, to be ingested later ({@link
 * Family#ingest(java.util.List)}, {@link SortedIngest#addTable}): by who sorts the data, perhaps on
 * another machine. It is a file as the tables of a store are, with a checksum for each block.
 *
 * <p>Ownership: whoever created it closes it; without {@link #finish} that removes the file. The
 * engine is borrowed. It has memory of its own, as a {@link SortedIngest}. Threads: one at a time.
 *
 * {@snippet :
 * try (StoreTableWriter table = StoreTableWriter.create(engine, path, options)) {
 *   table.put(key, value); // in the order of their keys
 *   table.finish();
 * }
 * store.ingest(List.of(path));
 * }
 *
 * <p>Errors: as of a {@link SortedIngest}.
 */
public final class StoreTableWriter implements AutoCloseable {
  /** Stands in such files for the number that tables of a store have: no store comes so far. */
  static final long NUMBER = Long.MAX_VALUE;

  /** Of all records. */
  static final long SEQUENCE = 1;

  private final IoEngine engine;
  private final Path path;
  private final SortedRecords records;
  private boolean isFinished;
  private boolean isClosed;

  private StoreTableWriter(IoEngine engine, Path path, SortedRecords records) {
    this.engine = engine;
    this.path = path;
    this.records = records;
  }

  /**
   * Creates the file, for its owner only.
   *
   * @param path does not exist
   * @param options the form of tables, that of the deepest level, and how large values may be; a
   *     store that ingests the table writes it in its own form
   * @throws IOException if the file cannot be created
   */
  public static StoreTableWriter create(IoEngine engine, Path path, StoreOptions options)
      throws IOException {
    Objects.requireNonNull(path, "path");
    SortedRecords records = new SortedRecords(engine, options, SEQUENCE);
    boolean isStarted = false;
    try {
      Path file = path.toAbsolutePath();
      records
          .writer()
          .start(file, NUMBER, Manifest.MAIN, options.tree().layout(Manifest.LEVELS - 1), null);
      isStarted = true;
      return new StoreTableWriter(engine, file, records);
    } finally {
      if (!isStarted) {
        records.close();
      }
    }
  }

  /** Adds the value of a key, which is behind the one before. */
  public void put(byte[] key, byte[] value) throws IOException {
    put(MemorySegment.ofArray(key), MemorySegment.ofArray(value));
  }

  /** The same; both segments are copied. */
  public void put(MemorySegment key, MemorySegment value) throws IOException {
    Objects.requireNonNull(value, "value");
    add(RecordKind.PUT, key, value);
  }

  /** Adds the delete of a key, which is behind the one before, and need not exist anywhere. */
  public void delete(byte[] key) throws IOException {
    delete(MemorySegment.ofArray(key));
  }

  /** The same; the segment is copied. */
  public void delete(MemorySegment key) throws IOException {
    add(RecordKind.DELETE, key, MemorySegment.NULL);
  }

  private void add(int kind, MemorySegment key, MemorySegment value) throws IOException {
    TableWriter writer = writer();
    records.add(
        kind,
        key,
        value,
        () -> {
          if (writer.isIndexFull()) {
            throw new IllegalStateException("the index is full, begin another file: path=" + path);
          }
        });
  }

  private TableWriter writer() {
    if (records.isFailed() || !records.writer().isStarted()) {
      throw new IllegalStateException("the table is finished, or has failed: path=" + path);
    }
    return records.writer();
  }

  /** Returns the bytes of the file so far. */
  public long sizeBytes() {
    return writer().sizeBytes();
  }

  /**
   * Completes the file, which has one record at least; it is durable then, with its name.
   *
   * @throws IllegalStateException also if there is no record
   */
  public void finish() throws IOException {
    TableWriter writer = writer();
    if (records.isEmpty()) {
      throw new IllegalStateException("a table has records: path=" + path);
    }
    TableMeta unused = writer.finish();
    engine.syncDirectory(path.getParent());
    isFinished = true;
  }

  /** Gives its memory back, and removes the file unless it is finished. Twice does nothing. */
  @Override
  public void close() throws IOException {
    try (records) {
      if (records.writer().isStarted()) {
        records.writer().abandon();
      } else if (!isFinished && engine.exists(path) && !isClosed) {
        engine.delete(path);
      }
    } finally {
      isClosed = true;
    }
  }
}
