package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.JournalFormat.Entry;
import io.ewok.gds.buffers.PageJournal.Copy;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Repairs a page file from its journal, before anybody reads it. Done again, or killed and done
 * again, it comes to the same.
 *
 * <p>With DOUBLE_WRITE a page becomes what the journal says that it was to be, unless it is whole
 * and its log position is later. With BACKUP it becomes what it was, unless it is still that or
 * already what it was to be; it is not enough that it looks whole, as the checksum of a torn page
 * may fit by chance.
 */
final class JournalRecovery {
  private final IoFile file;
  private final PageSize size;
  private final TornPages mode;
  private final PageJournal journal;
  private final Region region;

  /** Where the part of the page file is that may have to change; a copy lies at the start. */
  private static final int CURRENT = Staging.BYTES / 2;

  private JournalRecovery(
      IoFile file, PageSize size, TornPages mode, PageJournal journal, Region region) {
    this.file = file;
    this.size = size;
    this.mode = mode;
    this.journal = journal;
    this.region = region;
  }

  /**
   * Repairs what is torn; durable on return.
   *
   * @throws StorageException if something is torn and the file was opened for reading
   */
  static void run(IoFile file, PageSize size, TornPages mode, PageJournal journal, Staging staging)
      throws IOException {
    JournalRecovery recovery = new JournalRecovery(file, size, mode, journal, staging.region());
    int repaired = 0;
    for (Copy copy : journal.copies(staging.region()).values()) {
      repaired += recovery.repair(copy) ? 1 : 0;
    }
    if (repaired > 0) {
      file.sync();
    }
  }

  private boolean repair(Copy copy) throws IOException {
    Entry entry = copy.entry();
    if (entry.offset() < 0 || entry.length() > file.sizeBytes() - entry.offset()) {
      return false; // the file did not become as long as that
    }
    MemorySegment image = journal.read(copy, region);
    int alignment = file.alignmentBytes();
    long start = entry.offset() & -alignment;
    int length = (int) ((entry.offset() + entry.length() + alignment - 1 & -alignment) - start);
    file.readFully(start, region, CURRENT, length);
    MemorySegment current =
        region.segment().asSlice(CURRENT + entry.offset() - start, entry.length());
    boolean changed =
        mode == TornPages.BACKUP
            ? restore(current, image, entry)
            : complete(current, image, entry.offset());
    if (changed) {
      if (!file.canWrite()) {
        throw new StorageException(
            "a power cut has torn pages, which opening the file for writing repairs: offset="
                + entry.offset(),
            file.path());
      }
      file.write(start, region, CURRENT, length);
    }
    return changed;
  }

  private static boolean restore(MemorySegment current, MemorySegment image, Entry entry) {
    int checksum = JournalFormat.checksum(current);
    if (checksum == entry.imageChecksum() || checksum == entry.nextChecksum()) {
      return false;
    }
    current.copyFrom(image);
    return true;
  }

  private boolean complete(MemorySegment current, MemorySegment image, long offset) {
    boolean changed = false;
    for (long at = 0; at < image.byteSize(); at += size.bytes()) {
      MemorySegment page = current.asSlice(at, size.bytes());
      MemorySegment copy = image.asSlice(at, size.bytes());
      if (page.mismatch(copy) >= 0 && !isLater(page, copy, (offset + at) / size.bytes())) {
        page.copyFrom(copy);
        changed = true;
      }
    }
    return changed;
  }

  /** Whether a page is whole and later than its copy, which then is not its last. */
  private boolean isLater(MemorySegment page, MemorySegment copy, long number) {
    return PageFormat.checksum(page) == PageFormat.computeChecksum(page, number)
        && PageFormat.lsn(page) > PageFormat.lsn(copy);
  }
}
