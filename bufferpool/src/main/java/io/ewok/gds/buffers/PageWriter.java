package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.JournalFormat.Entry;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.PageBatch;
import io.ewok.gds.pagestore.PageFile;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes batches of pages to their file, in the file's torn-page mode. What it transfers are
 * <em>units</em>: pages, or sectors of the device that have several.
 *
 * <p>To be used by whoever has the lock of the staging memory:
 *
 * <pre>{@code
 * writer.begin();
 * while (writer.hasRoom()) {
 *   writer.add(page, image); // in the order of their numbers
 * }
 * writer.write(WorkClass.CLEANER);
 * }</pre>
 *
 * <p>A unit whose write failed may be torn. Its copy in the journal is kept, and so is the epoch,
 * until the unit could be written; meanwhile it is written without another copy.
 */
final class PageWriter {
  private static final int TRANSFERS_MAX = 64;

  private final PageFile units;
  private final PageSize size;
  private final TornPages mode;
  private final PageJournal journal;
  private final PageSealer sealer;
  private final Staging staging;
  private final PageBatch batch;

  /** Where in the staging memory the units to be written are; those to be copied come before. */
  private final int unitsOffset;

  private final int copiesOffset;

  private final long[] numbers;
  private final long[] offsets;
  private final long[] copyOffsets;
  private int count;

  private final Set<Long> doubtful = new HashSet<>();
  private IOException doubt;

  /** Whether something in this epoch was written again without another copy. */
  private boolean rewritten;

  private boolean mustClose;

  /**
   * A writer.
   *
   * @param journal that of the file if the mode has one, or null
   * @param sealerOrNull null if pages are written as they are
   */
  PageWriter(
      IoEngine engine,
      PageFile units,
      PageSize size,
      TornPages mode,
      PageJournal journal,
      PageSealer sealerOrNull,
      Staging staging) {
    this.units = units;
    this.size = size;
    this.mode = mode;
    this.journal = journal;
    this.sealer = sealerOrNull;
    this.staging = staging;
    this.batch = new PageBatch(engine, units, TRANSFERS_MAX);
    if (mode == TornPages.ATOMIC) {
      batch.atomic();
    }
    this.copiesOffset = journal == null ? 0 : journal.blockBytes();
    int unitBytes = units.pageBytes();
    int max = (Staging.BYTES - copiesOffset) / unitBytes;
    if (mode == TornPages.BACKUP) {
      max /= 2;
    }
    if (journal != null) {
      int entries = JournalFormat.entriesMax(journal.blockBytes());
      long fitting = (journal.batchBytesMax() - copiesOffset) / unitBytes;
      max = (int) Math.min(Math.min(max, entries), fitting);
    }
    this.unitsOffset = copiesOffset + (mode == TornPages.BACKUP ? max * unitBytes : 0);
    this.numbers = new long[max];
    this.offsets = new long[max];
    this.copyOffsets = new long[max];
  }

  TornPages mode() {
    return mode;
  }

  void begin() {
    count = 0;
  }

  /** Has what is added from now on encrypted with another key, under the current master key. */
  void beginLife(int keyIdOrElse) throws StorageException {
    sealer.begin(keyIdOrElse);
  }

  /** Whether any page can be added. */
  boolean hasRoom() {
    return count < numbers.length;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /**
   * Takes a copy of a page, encrypted if the file is, and completes its header.
   *
   * @param page not smaller than those added before
   * @throws IOException if its neighbours, which must be written with it, cannot be read; it is not
   *     added
   */
  void add(long page, MemorySegment image) throws IOException {
    long unit = page * size.bytes() / units.pageBytes();
    MemorySegment memory = staging.region().segment();
    if (count == 0 || numbers[count - 1] != unit) {
      long offset = unitsOffset + (long) count * units.pageBytes();
      if (size.bytes() < units.pageBytes()) {
        units.read(unit, staging.region(), offset);
      }
      numbers[count] = unit;
      offsets[count++] = offset;
    }
    long at = offsets[count - 1] + (page * size.bytes() & units.pageBytes() - 1);
    MemorySegment copy = memory.asSlice(at, size.bytes());
    if (sealer == null) {
      copy.copyFrom(image);
    } else {
      sealer.seal(image, copy, page);
    }
    PageFormat.seal(copy, size, page);
  }

  /**
   * Writes what was added.
   *
   * @param work what for
   * @throws IOException if that failed; no page is torn, after a power cut, that was not before
   */
  void write(WorkClass work) throws IOException {
    batch.forWork(work);
    if (journal == null) {
      writeUnits(work);
      return;
    }
    if (!doubtful.isEmpty()) {
      rewriteDoubtful();
    }
    if (count > 0) {
      copyToJournal(work);
      try {
        writeUnits(work);
      } catch (IOException e) {
        doubt = e;
        for (int i = 0; i < count; i++) {
          doubtful.add(numbers[i]);
        }
        throw e;
      }
    }
  }

  /** Makes what was written durable; {@link #endEpoch} is next. */
  void sync() throws IOException {
    units.sync();
  }

  /**
   * Lets go of the copies of what was synced. If it fails, the next call does it.
   *
   * @throws IOException if that could not be made durable where it must be
   */
  void endEpoch() throws IOException {
    if (journal == null || !doubtful.isEmpty()) {
      return;
    }
    if (journal.isUsed()) {
      // To put such a copy back does no harm until the log's horizon passes it.
      mustClose = mode == TornPages.BACKUP || rewritten;
      beginEpoch();
    }
    if (mustClose) {
      journal.closeEpoch(staging.region());
      mustClose = false;
    }
  }

  private void writeUnits(WorkClass work) throws IOException {
    if (count == 1 && mode != TornPages.ATOMIC && work == WorkClass.FOREGROUND) {
      units.write(numbers[0], staging.region(), offsets[0]); // by this thread itself
    } else {
      batch.write(numbers, offsets, count, staging.region());
    }
  }

  /** Writes those of the added units that are doubtful, and takes them out. */
  private void rewriteDoubtful() throws IOException {
    Region region = staging.region();
    int left = 0;
    for (int i = 0; i < count; i++) {
      if (doubtful.contains(numbers[i])) {
        rewritten = true;
        units.write(numbers[i], region, offsets[i]);
        doubtful.remove(numbers[i]);
      } else {
        numbers[left] = numbers[i];
        offsets[left++] = offsets[i];
      }
    }
    count = left;
  }

  private void copyToJournal(WorkClass work) throws IOException {
    int unitBytes = units.pageBytes();
    long batchBytes = copiesOffset + (long) count * unitBytes;
    if (!journal.fits(batchBytes)) {
      if (!doubtful.isEmpty()) {
        throw new StorageException(
            "a page could not be written, and its copy fills the journal: pages=" + doubtful.size(),
            units.file().path(),
            doubt);
      }
      units.sync();
      beginEpoch();
    }
    Region region = staging.region();
    MemorySegment memory = region.segment();
    compact(memory);
    if (mode == TornPages.BACKUP) {
      for (int i = 0; i < count; i++) {
        copyOffsets[i] = copiesOffset + (long) i * unitBytes;
      }
      batch.read(numbers, copyOffsets, count, region);
    }
    MemorySegment block = memory.asSlice(0, journal.blockBytes());
    for (int i = 0; i < count; i++) {
      int next = JournalFormat.checksum(memory.asSlice(offsets[i], unitBytes));
      int copied =
          mode == TornPages.BACKUP
              ? JournalFormat.checksum(memory.asSlice(copyOffsets[i], unitBytes))
              : next;
      Entry entry = new Entry(numbers[i] * unitBytes, unitBytes, copied, next);
      JournalFormat.writeEntry(block, i, entry);
    }
    journal.append(region, 0, count, batchBytes, work);
  }

  /** Closes the gaps of units that were taken out: a batch of the journal has none. */
  private void compact(MemorySegment memory) {
    int unitBytes = units.pageBytes();
    for (int i = 0; i < count; i++) {
      long offset = unitsOffset + (long) i * unitBytes;
      if (offsets[i] != offset) {
        MemorySegment.copy(memory, offsets[i], memory, offset, unitBytes);
        offsets[i] = offset;
      }
    }
  }

  private void beginEpoch() {
    journal.beginEpoch();
    rewritten = false;
  }
}
