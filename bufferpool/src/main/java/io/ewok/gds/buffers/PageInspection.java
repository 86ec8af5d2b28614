package io.ewok.gds.buffers;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnknownKeyException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Looks at the pages of a file as they are on the device, without a pool, and changes nothing: for
 * tools. Whoever writes the file meanwhile may be seen in the middle of it.
 *
 * <p>Ownership: whoever opened it closes it, before the engine. It takes {@link #WINDOW_BYTES} from
 * the budget, and {@link #VERIFY_BYTES} for each caller of {@link #verify}.
 *
 * <p>Threads: {@link #verify} is for several at once, who share the work; {@link #page} for one at
 * a time.
 *
 * {@snippet :
 * try (var inspection = PageInspection.open(engine, budget, path)) {
 *   print(inspection.page(3), inspection.defectOrNull(3));
 *   inspection.verify(findings);
 * }
 * }
 */
public final class PageInspection implements AutoCloseable {
  /** What an inspection takes from the budget. */
  public static final long WINDOW_BYTES =
      (long) PageVerification.PIECE_BYTES + PageSize.BYTES_65536.bytes();

  /** What each caller of {@link #verify} takes from the budget. */
  public static final long VERIFY_BYTES = PageVerification.MEMORY_BYTES;

  private final IoEngine engine;
  private final MemoryBudget budget;
  private final IoFile io;
  private final Region window;
  private final PageSize size;
  private final TornPages tornPages;
  private final boolean encrypted;

  /** Null if the file is not encrypted, or there is no key. */
  private final PageSealer sealer;

  private final long sizeBytes;
  private final AtomicLong nextPiece = new AtomicLong();

  /** The pages in the window. */
  private long windowFirst;

  private long windowCount;

  private PageInspection(
      IoEngine engine, MemoryBudget budget, IoFile io, Region window, PageSize sizeOrNull)
      throws IOException {
    this.engine = engine;
    this.budget = budget;
    this.io = io;
    this.window = window;
    this.sizeBytes = io.sizeBytes();
    if (sizeOrNull == null) {
      readStart();
      this.size = PageFileFormat.sizeOf(window.segment(), io.path());
      this.tornPages = PageFileFormat.tornPagesOrNull(window.segment());
      this.encrypted = PageFileFormat.isSealed(window.segment());
      this.sealer = encrypted ? sealerOrNull(window.segment()) : null;
      if (!encrypted) {
        FileKey.acceptPlain(engine.keys(), io.path());
      }
    } else {
      this.size = sizeOrNull;
      this.tornPages = null;
      this.encrypted = false;
      this.sealer = null;
    }
  }

  private PageSealer sealerOrNull(MemorySegment prefix) throws StorageException {
    PageSealer found = new PageSealer(engine.keys(), PageFileFormat.salt(prefix), size, io.path());
    try {
      int unused = found.requireKey(prefix);
      return found;
    } catch (UnknownKeyException e) {
      return null; // checksums need none
    }
  }

  /**
   * Opens a file for reading. One that is encrypted needs no key as long as only checksums are
   * looked at.
   *
   * @throws NotAPageFileException if it does not begin as a page file does
   * @throws io.ewok.gds.pagestore.WrongKeyException if the engine has another key than the file's
   * @throws io.ewok.gds.pagestore.PlainFileException if it is not encrypted, and nothing such is to
   *     be read
   */
  public static PageInspection open(IoEngine engine, MemoryBudget budget, Path path)
      throws IOException {
    return start(engine, budget, path, null);
  }

  /**
   * Opens a file as one with pages of this size, whatever it says itself; also if it is encrypted
   * as one that is not.
   */
  public static PageInspection open(IoEngine engine, MemoryBudget budget, Path path, PageSize size)
      throws IOException {
    return start(engine, budget, path, size);
  }

  private static PageInspection start(
      IoEngine engine, MemoryBudget budget, Path path, PageSize sizeOrNull) throws IOException {
    IoFile io = engine.open(path, OpenMode.READ_ONLY);
    Region window = null;
    try {
      window = Region.map(budget, RegionOptions.ofSize(WINDOW_BYTES));
      return new PageInspection(engine, budget, io, window, sizeOrNull);
    } catch (Throwable e) {
      try (io;
          Region _ = window) {
        throw e;
      }
    }
  }

  /** The size of the pages. */
  public PageSize pageSize() {
    return size;
  }

  /**
   * What is done about torn pages, as the file says itself; null if it was not asked, or says
   * something else. Where it is DOUBLE_WRITE or BACKUP, pages that a power cut has torn are bad
   * until the file is opened for writing, which repairs them from the journal.
   */
  public TornPages tornPagesOrNull() {
    return tornPages;
  }

  /** Whether the file says itself that its pages are encrypted. */
  public boolean isEncrypted() {
    return encrypted;
  }

  /** Whether {@link #content} can be asked for: the file is not encrypted, or there is the key. */
  public boolean hasKey() {
    return !encrypted || sealer != null;
  }

  /** How many whole pages the file has room for, the file's own and never written ones included. */
  public long pageCount() {
    return sizeBytes / size.bytes();
  }

  /**
   * A page as it is on the device. Read-only, and valid until the next call.
   *
   * @param page 0 to {@link #pageCount} - 1; 0 is the file's own
   * @throws StorageException if the device does not give it
   */
  public MemorySegment page(long page) throws IOException {
    if (page < 0 || page >= pageCount()) {
      throw new IllegalArgumentException(
          "no such page: path=%s pageCount=%d page=%d".formatted(io.path(), pageCount(), page));
    }
    if (page < windowFirst || page >= windowFirst + windowCount) {
      fill(page);
    }
    return window.segment().asSlice((page - windowFirst) * size.bytes(), size.bytes()).asReadOnly();
  }

  /**
   * A page as its owner has it: of an encrypted file plain, and {@link PageFormat#SEAL_BYTES}
   * shorter. Read-only, and valid until the next call.
   *
   * @param page as it is on the device, without a defect
   * @throws io.ewok.gds.pagestore.CorruptFileException if it was tampered with
   * @throws StorageException if its key is not known, or another one
   */
  public MemorySegment content(MemorySegment page, long number) throws StorageException {
    if (!encrypted) {
      return page;
    }
    if (sealer == null) {
      throw new StorageException("the file is encrypted, and there is no key", io.path());
    }
    MemorySegment copy = window.segment().asSlice(PageVerification.PIECE_BYTES, size.bytes());
    sealer.open(copy.copyFrom(page), number);
    return copy.asSlice(0, size.bytes() - (long) PageFormat.SEAL_BYTES).asReadOnly();
  }

  /** The same as a reason, or null; the page is changed where it is. */
  String sealDefectOrNull(MemorySegment page, long number) {
    if (sealer == null) {
      return null;
    }
    try {
      sealer.open(page, number);
      return null;
    } catch (StorageException e) {
      return e.getMessage();
    }
  }

  /** Why a page of this content cannot be what was written under this number, or null. */
  public String defectOrNull(MemorySegment page, long number) {
    if (PageFormat.isNeverWritten(page)) {
      return null;
    }
    int checksum = PageFormat.computeChecksum(page, number);
    if (PageFormat.checksum(page) != checksum) {
      return "its checksum is %d and should be %d".formatted(PageFormat.checksum(page), checksum);
    }
    if (PageFormat.version(page) != PageFormat.VERSION) {
      return "its version is %d, and %d can be read"
          .formatted(PageFormat.version(page), PageFormat.VERSION);
    }
    return PageFormat.sizeCode(page) == size.code()
        ? null
        : "its size code is %d, and the file's %d"
            .formatted(PageFormat.sizeCode(page), size.code());
  }

  /**
   * Verifies the pages that no other caller has taken yet, and returns when none is left to take.
   * Reads many at once; a page that seems bad is read once more, alone. With the key of an
   * encrypted file, finds also what was tampered with.
   *
   * @throws io.ewok.gds.allocator.BudgetExceededException if the budget has no room for it
   */
  public void verify(PageFindings findings) throws IOException {
    try (Region region = Region.map(budget, RegionOptions.ofSize(VERIFY_BYTES))) {
      engine.register(region);
      try {
        new PageVerification(this, engine, io, region, findings).run(nextPiece);
      } finally {
        engine.unregister(region);
      }
    }
  }

  /** Closes the file. Twice does nothing. */
  @Override
  public void close() throws IOException {
    try (io) {
      window.close();
    }
  }

  long sizeBytes() {
    return sizeBytes;
  }

  private void readStart() throws IOException {
    int count = io.read(0, window, 0, io.alignmentBytes());
    if (count < PageFileFormat.PREFIX_BYTES) {
      throw new NotAPageFileException(io.path());
    }
  }

  /** Reads the page and those behind it; if they cannot be read, alone. */
  private void fill(long page) throws IOException {
    windowCount = 0;
    long offset = page * size.bytes() & -io.alignmentBytes();
    int read;
    try {
      read = io.read(offset, window, 0, PageVerification.PIECE_BYTES);
    } catch (StorageException e) {
      read = io.read(offset, window, 0, Math.max(size.bytes(), io.alignmentBytes()));
    }
    windowFirst = offset / size.bytes();
    windowCount = read / size.bytes();
    if (page >= windowFirst + windowCount) {
      throw new StorageException("the file was cut while it was read: page=" + page, io.path());
    }
  }
}
