package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Brings many records into a family at once, in the order of their keys: they are written as tables
 * right away, past log and memtables, and those that overlap with nothing go to a deep level at
 * once, where nothing merges them. Nobody sees any of them before {@link #commit}, which makes all
 * of them visible, as one write; after a crash all are there or none.
 *
 * {@snippet :
 * try (SortedIngest ingest = store.ingest()) {
 *   for (Row row : rowsInOrderOfTheirKeys) {
 *     ingest.put(row.key(), row.value());
 *   }
 *   ingest.commit();
 * }
 * }
 *
 * <p>What is written meanwhile, by others, and is acknowledged before the commit begins, is older
 * than what is ingested; snapshots and cursors that were taken before do not see it. It is in no
 * log: {@link Store#changes} do not have it, and {@linkplain Family#tail tailing cursors} find it
 * with the next write.
 *
 * <p>Ownership: whoever began it closes it, which without a commit leaves nothing behind; if the
 * store is closed first, or the process ends, the next opening removes what there is. It has memory
 * of its own until then, as much as {@link StoreOptions#batchBytesMax} and a few blocks, about
 * 3&nbsp;MiB with the defaults, which is not part of the store's.
 *
 * <p>Threads: one at a time.
 *
 * <p>Errors: {@link IllegalArgumentException} for a key that is not behind the one before, and for
 * keys and values that are too large: it goes on as if that one had not been there. {@link
 * IOException} if something cannot be written: then it can only be closed. {@link
 * IllegalStateException} after commit and close, and if the store is closed or the family dropped.
 */
public final class SortedIngest implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(SortedIngest.class.getName());

  /** Numbers of tables are taken so many at a time: for each the background thread is asked. */
  private static final int NUMBERS = 64;

  private static final String FAILED = "what is ingested cannot become part of the store";

  private final IoEngine engine;
  private final StoreFiles files;
  private final StoreOptions options;
  private final LiveOptions live;
  private final VersionSet versions;
  private final Background background;
  private final StoreParts parts;
  private final StoreWriter store;
  private final FamilyState family;

  private final SortedRecords records;
  private final TableWriter writer;
  private final TableLayout layout;

  /** Made once, not for each record. */
  private final SortedRecords.Room room = this::makeRoom;

  private final List<TableMeta> written = new ArrayList<>();

  /** At which size the table at hand is full. */
  private long tableBytes;

  private long nextNumber;
  private int numbersLeft;
  private boolean isFailed;
  private boolean isEnded;

  SortedIngest(StoreParts parts, StoreWriter store, FamilyState family) {
    this.parts = parts;
    this.engine = parts.engine;
    this.files = parts.files;
    this.options = parts.options;
    this.live = parts.live;
    this.versions = parts.versions;
    this.background = parts.background;
    this.store = store;
    this.family = family;
    long sequence;
    store.enter();
    try {
      family.requireThere();
      // Stands in the files for the one that is known at the end; without the manifest it counts.
      sequence = Math.max(1, versions.sequence());
      this.layout = live.compaction(family).layouts().get(likelyLevel());
    } finally {
      store.exit();
    }
    this.records = new SortedRecords(engine, options, sequence);
    this.writer = records.writer();
  }

  /** It is not known before the end where the tables go, but likely to where most are. */
  private int likelyLevel() {
    Version version = versions.retain();
    try {
      return Math.max(1, version.levels(family).deepestLevel());
    } finally {
      versions.release(version);
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

  /** Adds the delete of a key, which is behind the one before, and need not exist in the store. */
  public void delete(byte[] key) throws IOException {
    delete(MemorySegment.ofArray(key));
  }

  /** The same; the segment is copied. */
  public void delete(MemorySegment key) throws IOException {
    add(RecordKind.DELETE, key, MemorySegment.NULL);
  }

  private void add(int kind, MemorySegment key, MemorySegment value) throws IOException {
    requireOpen();
    store.enter();
    try {
      records.add(kind, key, value, room);
    } finally {
      store.exit();
    }
  }

  /**
   * Adds all records of a file that a {@link StoreTableWriter} has written, which are behind those
   * that were added before. Every byte is checked on the way; the file stays as it is.
   *
   * @throws io.ewok.gds.pagestore.StorageException if it is something else, damaged, or not in
   *     order: then nothing of this ingest can be committed
   */
  public void addTable(Path file) throws IOException {
    requireOpen();
    boolean isAdded = false;
    try (ExternalTable table = ExternalTable.open(engine, file, options)) {
      table.addTo(this);
      isAdded = true;
    } finally {
      isFailed |= !isAdded;
    }
  }

  private void requireOpen() {
    if (isEnded || isFailed || records.isFailed()) {
      throw new IllegalStateException("it is ended, or has failed: ended=" + isEnded);
    }
    family.requireThere();
  }

  /** Starts a table, if none is being written that has room. */
  private void makeRoom() throws IOException {
    if (writer.isStarted() && (writer.isIndexFull() || writer.sizeBytes() >= tableBytes)) {
      written.add(writer.finish());
    }
    if (!writer.isStarted()) {
      tableBytes = live.compaction(family).tableBytes();
      long number = nextNumber();
      writer.start(files.table(number), number, family.id(), layout, null);
    }
  }

  private long nextNumber() throws IOException {
    if (numbersLeft == 0) {
      nextNumber = background.run(() -> parts.tables.takeNumbers(NUMBERS), FAILED);
      numbersLeft = NUMBERS;
    }
    numbersLeft--;
    return nextNumber++;
  }

  /**
   * Makes all that was added part of the store, and durable. What is in memory is flushed for that.
   *
   * @return the sequence number that all of it has
   * @throws IOException if that fails: none of it is part of the store, unless the failure was in
   *     making it durable and the process ends before the next change of the store's tables; then
   *     all may be
   */
  public long commit() throws IOException {
    requireOpen();
    StoreWriter.requireMayWait();
    store.enter();
    boolean isDone = false;
    try {
      if (writer.isStarted()) {
        written.add(writer.finish());
      }
      long committed = versions.sequence();
      if (!written.isEmpty()) {
        store.flush(); // most of it while the background thread goes on with other work
        List<TableMeta> all = List.copyOf(written);
        written.clear(); // they are the errand's now
        committed = background.run(() -> new IngestJob(parts, store, family, all).run(), FAILED);
      }
      isEnded = true;
      isDone = true;
      return committed;
    } finally {
      isFailed |= !isDone;
      store.exit();
    }
  }

  /** Gives its memory back, and removes what was not committed. Twice does nothing. */
  @Override
  public void close() throws IOException {
    isEnded = true;
    try (records) {
      removeWritten();
    }
  }

  private void removeWritten() {
    if (!writer.isStarted() && written.isEmpty()) {
      return;
    }
    try {
      store.enter(); // else the engine is closed, and the next opening removes them
    } catch (IllegalStateException closed) {
      return;
    }
    try {
      writer.abandon();
      while (!written.isEmpty()) {
        engine.delete(files.table(written.removeLast().number()));
      }
    } catch (IOException e) {
      LOGGER.log(
          Logger.Level.WARNING, "cannot delete a table that is not needed: path=" + files, e);
    } finally {
      store.exit();
    }
  }
}
