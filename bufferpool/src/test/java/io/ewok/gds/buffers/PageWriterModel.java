package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.PageFileFormat.Salt;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PageFile;
import io.ewok.gds.pagestore.PageFileOptions;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Pages written by a {@link PageWriter}, beside the numbers of their versions: of each the last
 * that is durable for certain, and the last that was to be written.
 */
final class PageWriterModel implements AutoCloseable {
  static final Path FILE = Path.of("/pages");

  private static final int PAGES = 24;
  private static final long FILE_ID = 7;

  private final TornPages mode;
  private final PageSize size;
  private final SplittableRandom random;
  private final Staging staging = newStaging();
  private final Arena arena = Arena.ofConfined();

  /** One at a time. */
  private final MemorySegment images = arena.allocate(PageSize.BYTES_65536.bytes());

  private final long[] durable = new long[PAGES];
  private final long[] latest = new long[PAGES];
  private final Set<Integer> failed = new TreeSet<>();
  private boolean syncing;

  /** Null if pages are not encrypted. */
  private final PageSealer sealer;

  private IoFile io;
  private PageJournal journal;
  private PageWriter writer;

  PageWriterModel(TornPages mode, PageSize size, boolean encrypted, SplittableRandom random) {
    this.mode = mode;
    this.size = size;
    this.random = random;
    this.sealer = encrypted ? new PageSealer(new TestKeys(1), Salt.random(), size, FILE) : null;
  }

  /** Whether the caller has asked for a sync. */
  boolean isSyncing() {
    return syncing;
  }

  void create(IoEngine engine) throws IOException {
    try (IoFile file = engine.open(FILE, OpenMode.CREATE_NEW)) {
      file.preallocate(0, (long) PAGES * Math.max(size.bytes(), file.alignmentBytes()));
      file.sync();
      if (mode.hasJournal()) {
        int unitBytes = Math.max(size.bytes(), file.alignmentBytes());
        int halfBytes = 4096 + 5 * Math.max(unitBytes, 4096);
        PageJournal.create(engine, FILE, FILE_ID, halfBytes, staging).close();
      }
      engine.syncDirectory(FILE.getParent());
    }
  }

  /** Opens, and repairs. */
  void open(IoEngine engine) throws IOException {
    io = engine.open(FILE, OpenMode.READ_WRITE);
    journal = repair(engine, io, staging);
    PageFile units =
        new PageFile(io, Math.max(size.bytes(), io.alignmentBytes()), PageFileOptions.defaults());
    writer = new PageWriter(engine, units, size, mode, journal, sealer, staging);
    if (sealer != null) {
      sealer.begin(1);
    }
    failed.clear();
  }

  void closeFiles() throws IOException {
    try (IoFile _ = io;
        PageJournal _ = journal) {
      writer = null;
    }
  }

  /** Writes some batches, and syncs now and then. */
  void work(int steps) throws IOException {
    for (int step = 0; step < steps; step++) {
      writeBatch();
      if (random.nextInt(6) == 0 && failed.isEmpty()) {
        sync();
      }
    }
  }

  private void sync() throws IOException {
    syncing = true;
    try {
      writer.sync();
      writer.endEpoch();
      System.arraycopy(latest, 0, durable, 0, PAGES);
    } catch (IOException e) {
      // Nobody was told that anything is durable.
    } finally {
      syncing = false;
    }
  }

  private void writeBatch() throws IOException {
    Set<Integer> pages = new TreeSet<>(failed);
    int count = random.nextInt(1, 8);
    for (int i = 0; i < count; i++) {
      int page = random.nextInt(PAGES);
      pages.add(page == 0 && sealer != null ? 1 : page); // the file page hides nothing
    }
    writer.begin();
    Set<Integer> added = new TreeSet<>();
    for (int page : pages) {
      if (!writer.hasRoom()) {
        break;
      }
      writer.add(page, image(page, ++latest[page]));
      added.add(page);
    }
    try {
      writer.write(WorkClass.FOREGROUND);
      failed.removeAll(added);
    } catch (IOException e) {
      failed.addAll(added); // as a pool does with dirty pages
    }
  }

  /** Repairs, and finds every page whole, not older than durable, and not from nowhere. */
  void repairAndCheck(IoEngine engine) throws IOException {
    // The writer that was cut off may be using the other.
    try (Staging memory = newStaging();
        IoFile file = engine.open(FILE, OpenMode.READ_WRITE);
        PageJournal _ = repair(engine, file, memory)) {
      for (int page = 0; page < PAGES; page++) {
        long version = version(file, page, memory);
        assertTrue(
            version >= durable[page] && version <= latest[page],
            "page=%d version=%d durable=%d latest=%d"
                .formatted(page, version, durable[page], latest[page]));
      }
    }
  }

  /** Goes on with what a power cut has left. */
  void adopt(IoEngine engine) throws IOException {
    repairAndCheck(engine);
    try (IoFile file = engine.open(FILE, OpenMode.READ_WRITE)) {
      for (int page = 0; page < PAGES; page++) {
        durable[page] = version(file, page, staging);
        latest[page] = durable[page];
      }
    }
  }

  private PageJournal repair(IoEngine engine, IoFile file, Staging memory) throws IOException {
    if (!mode.hasJournal()) {
      return null;
    }
    PageJournal opened = PageJournal.open(engine, FILE, FILE_ID, OpenMode.READ_WRITE, memory);
    JournalRecovery.run(file, size, mode, opened, memory);
    return opened;
  }

  private static Staging newStaging() {
    return new Staging(new SimEngine(0), BufferFixture.budget());
  }

  private long version(IoFile file, int page, Staging memory) throws IOException {
    long offset = (long) page * size.bytes();
    long start = offset & -file.alignmentBytes();
    file.readFully(start, memory.region(), 0, Math.max(size.bytes(), file.alignmentBytes()));
    MemorySegment found = memory.region().segment().asSlice(offset - start, size.bytes());
    PageFormat.verify(found, size, page, FILE);
    if (PageFormat.isNeverWritten(found)) {
      return 0;
    }
    int checksum = PageFormat.checksum(found);
    if (sealer != null) {
      sealer.open(found, page);
    }
    long version = found.get(PageFormat.LONG, 24);
    MemorySegment expected = image(page, version);
    PageFormat.setLayout(expected, size);
    PageFormat.setChecksum(expected, checksum);
    assertEquals(
        -1,
        expected.mismatch(found.asSlice(0, expected.byteSize())),
        "page=" + page + " is torn, and looks whole");
    return version;
  }

  private MemorySegment image(int page, long version) {
    byte[] bytes = new byte[size.bytes() - (sealer == null ? 0 : PageFormat.SEAL_BYTES)];
    new SplittableRandom(version * PAGES + page).nextBytes(bytes);
    MemorySegment image = images.asSlice(0, bytes.length);
    MemorySegment.copy(bytes, 0, image, ValueLayout.JAVA_BYTE, 0, bytes.length);
    image.asSlice(0, PageFormat.HEADER_BYTES).fill((byte) 0);
    image.set(ValueLayout.JAVA_BYTE, 23, (byte) 0);
    image.set(PageFormat.LONG, 24, version);
    PageFormat.setLsn(image, page % 2 == 0 ? version : 0); // some are not logged
    return image;
  }

  @Override
  public void close() {
    staging.close();
    arena.close();
  }
}
