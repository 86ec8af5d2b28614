package io.ewok.gds.buffers;

import io.ewok.gds.buffers.PageFileFormat.Identity;
import io.ewok.gds.buffers.PageFileFormat.Salt;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PageFile;
import io.ewok.gds.pagestore.PageFileOptions;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A file of pages of one size, read and changed through the pool. Page 0 is the file's own; the
 * caller's pages start at 1.
 *
 * <p>Ownership: whoever opened it closes it, after unfixing its pages.
 *
 * <p>Threads: any, for all methods. A thread that fixes several pages does so in an order of its
 * choice, the same everywhere, or two threads may wait for each other until {@link
 * LatchTimeoutException} ends it.
 *
 * <p>What a power cut does to pages that are being written is decided by {@link TornPages}. After a
 * crash the file holds some of the changes. The caller's redo, from the log, finds a page without
 * changes by its position ({@link PageFormat#lsn}); {@link #extendTo} brings back pages that were
 * created and never written.
 *
 * <p>An encrypted file stays so, also where no key is current; one that is not cannot become one,
 * since its pages have no room for a seal: its pages are copied into a new file. What is written is
 * under the key that was current when the file was opened; {@link #reseal} changes that, and all
 * that is there.
 *
 * <p>Durability: after {@link #flush}. A failed sync poisons the file: everything throws {@link
 * io.ewok.gds.pagestore.PoisonedFileException}; close it, open it again and redo from the log.
 * After a failed sync of its journal nothing can be written, and reads go on.
 */
public final class CachedPageFile extends CachedFile {
  /** Space is reserved in steps of this size. */
  private static final long GROW_BYTES = 1 << 20;

  private static final PageFileOptions GROW = PageFileOptions.defaults().withStepBytes(GROW_BYTES);

  private final PageSize size;

  /** In units of what is transferred at once: a page, or a sector of the device with several. */
  private final PageFile units;

  /** Held while a page is created, or becomes free. */
  private final LongLock allocation = new LongLock();

  // Written under allocation.
  private final TreeSet<Long> freePages = new TreeSet<>();
  private volatile long pageCount;

  // Set by start, before anybody else has the file.
  private TornPages tornPages;
  private PageJournal journal;
  private GroupWriter writes;

  /** Null if the file is not encrypted. */
  private PageSealer sealer;

  /** The number of the key that the file page was written under when the file was opened. */
  private int keyId;

  /** What the owner has of a page, and the pool. */
  private int pageBytes;

  CachedPageFile(BufferManager manager, IoFile io, int number, PageSize size) throws IOException {
    super(manager, io, number);
    this.size = size;
    this.units = new PageFile(io, Math.max(size.bytes(), io.alignmentBytes()), GROW);
  }

  /** The size of the pages. */
  public PageSize pageSize() {
    return size;
  }

  /** What is done about torn pages, as the file has recorded it. */
  public TornPages tornPages() {
    return tornPages;
  }

  /**
   * Whether its pages are encrypted, as it was created with a current key ({@link
   * io.ewok.gds.pagestore.KeySource}). If so, {@link Fix#segment} is {@link PageFormat#SEAL_BYTES}
   * shorter than a page.
   */
  public boolean isEncrypted() {
    return sealer != null;
  }

  /** The manager that opened it. */
  public BufferManager manager() {
    return manager;
  }

  /** One more than the largest page number, page 0 included. */
  public long pageCount() {
    return pageCount;
  }

  /**
   * Fixes a page to read it, together with others who do.
   *
   * @param page 1 to {@link #pageCount} - 1
   * @param into an empty handle
   * @throws CorruptFileException if the page is not what was written, perhaps torn by a power cut;
   *     or its last change is later than the end of the manager's log, which is another one then,
   *     or has lost it
   * @throws IOException if it cannot be read, or nothing could be written back to make room
   * @throws PoolExhaustedException if there is no room
   * @throws LatchTimeoutException if somebody else keeps it exclusive
   * @throws IllegalArgumentException if there is no such page
   */
  public void fixShared(long page, Fix into) throws IOException {
    if (page < 1 || !table.share(this, page, pageBytes, into)) {
      checkPage(page);
      table.fix(this, page, pageBytes, PageTable.Access.SHARED, into);
    }
  }

  /**
   * Lets a page be read without keeping anybody from changing or evicting it; see {@link Fix} for
   * what can be believed. Waits for whoever has it exclusively; otherwise as {@link #fixShared}.
   */
  public void fixOptimistic(long page, Fix into) throws IOException {
    // What is not in the file is not in the pool, but for page 0.
    if (page < 1 || !table.look(this, page, pageBytes, into)) {
      lookFurther(page, into);
    }
  }

  private void lookFurther(long page, Fix into) throws IOException {
    checkPage(page);
    table.lookFurther(this, page, pageBytes, 0, into);
  }

  /**
   * Fixes a page to change it, alone; otherwise as {@link #fixShared}.
   *
   * @throws IllegalStateException if the file is open for reading only
   */
  public void fixExclusive(long page, Fix into) throws IOException {
    checkPage(page);
    checkWritable();
    table.fix(this, page, pageBytes, PageTable.Access.EXCLUSIVE, into);
  }

  /**
   * Fixes pages to read them, as {@link #fixShared(long, Fix)} does one after the other; but what
   * is not in the pool is read at the same time.
   *
   * @param pages in the order in which they are latched
   * @param into as many empty handles; the first has the priority of all. After an exception they
   *     are empty
   */
  public void fixShared(long[] pages, int count, Fix[] into) throws IOException {
    checkPages(pages, count);
    fixAll(count, into, binding(pages), i -> fixShared(pages[i], into[i]));
  }

  /**
   * Starts to read pages that will be wanted soon, and returns. A hint: what fails is told when the
   * page is fixed; and there are read as many as have room without a write, at most a quarter of
   * the pool.
   *
   * @param priority as in {@link Fix#withPriority}
   * @throws IllegalArgumentException if there is no such page
   */
  public void prefetch(long[] pages, int count, Priority priority) {
    checkPages(pages, count);
    int unused = manager.batchRead().start(count, priority, binding(pages));
  }

  private void checkPages(long[] pages, int count) {
    Objects.checkFromIndexSize(0, count, pages.length);
    for (int i = 0; i < count; i++) {
      checkPage(pages[i]);
    }
  }

  private BatchRead.Binding binding(long[] pages) {
    return (i, reader, priority) ->
        table.bindAtOnce(this, pages[i], pageBytes, 0, reader, priority);
  }

  /**
   * Takes a free page, or a new one at the end of the file, formats it and fixes it exclusively.
   * The page is dirty; a page that was used before keeps its log position.
   *
   * @return the page's number
   * @throws io.ewok.gds.pagestore.OutOfSpaceException if the device is full; nothing changed
   * @throws IOException as {@link #fixExclusive}
   */
  public long create(Fix into) throws IOException {
    checkWritable();
    into.requireEmpty();
    allocation.lock();
    try {
      Long used = freePages.pollFirst();
      long page = used == null ? pageCount : used;
      boolean fixed = false;
      try {
        extend(page + 1);
        PageTable.Access access =
            used == null ? PageTable.Access.FRESH : PageTable.Access.EXCLUSIVE;
        table.fix(this, page, pageBytes, access, into);
        fixed = true;
      } finally {
        if (!fixed && page < pageCount) {
          freePages.add(page);
        }
      }
      long lsn = PageFormat.lsn(into.segment());
      PageFormat.format(into.segment(), size);
      PageFormat.setLsn(into.segment(), lsn);
      into.markDirty(0);
      return page;
    } finally {
      allocation.unlock();
    }
  }

  /**
   * Gives back a page that nobody has fixed: its content is overwritten with zeros and it may be
   * created again.
   *
   * @param lsn as in {@link Fix#markDirty}
   * @throws IllegalStateException if it was given back before
   * @throws IOException as {@link #fixExclusive}
   */
  public void free(long page, long lsn) throws IOException {
    try (Fix fix = new Fix()) {
      fixExclusive(page, fix);
      free(fix, lsn);
    }
  }

  /**
   * Gives back a page of this file that the caller has fixed exclusively, and unfixes it; otherwise
   * as {@link #free(long, long)}. Nobody sees the page in between.
   *
   * @throws IllegalStateException if it was given back before; it stays fixed
   */
  public void free(Fix fix, long lsn) {
    MemorySegment bytes = fix.segment();
    long page = fix.number();
    if (isFree(bytes)) {
      throw new IllegalStateException("the page is free already: page=" + page);
    }
    fix.markDirty(lsn);
    long pageLsn = PageFormat.lsn(bytes);
    PageFormat.format(bytes, size);
    PageFormat.setFlags(bytes, PageFormat.FLAG_FREE);
    PageFormat.setLsn(bytes, pageLsn);
    allocation.lock(); // its holder waits for no latch but those of free pages
    try {
      freePages.add(page);
      fix.unfix();
    } finally {
      allocation.unlock();
    }
  }

  /**
   * Makes pages exist, as zeros, up to a count. For redo: a page may have been created and logged,
   * and never written.
   *
   * @param count the smallest {@link #pageCount} afterwards
   * @throws io.ewok.gds.pagestore.OutOfSpaceException if the device is full
   */
  public void extendTo(long count) throws IOException {
    checkWritable();
    allocation.lock();
    try {
      extend(count);
    } finally {
      allocation.unlock();
    }
  }

  /**
   * Reads the whole file to find pages that were given back, or never written, before it was
   * opened; {@link #create} knows only those given back since. To be called after redo, before
   * others change pages.
   *
   * @return how many pages are free now
   */
  public int reclaimFreePages() throws IOException {
    allocation.lock();
    try (Fix fix = new Fix()) {
      for (long page = 1; page < pageCount; page++) {
        fixShared(page, fix);
        if (isFree(fix.segment()) || PageFormat.isNeverWritten(fix.segment())) {
          freePages.add(page);
        }
        fix.unfix();
      }
      return freePages.size();
    } finally {
      allocation.unlock();
    }
  }

  /**
   * Writes every page that is dirty now and makes the file durable. Waits for pages that are fixed
   * exclusively, so the caller must hold none.
   *
   * @throws LatchTimeoutException if somebody keeps a page exclusive; some pages may have been
   *     written
   * @throws IOException if a write failed, and its page stays dirty; or a sync, and the file is
   *     poisoned
   */
  public void flush() throws IOException {
    clean(Long.MAX_VALUE, WorkClass.FOREGROUND);
    table.writeDirty(this);
    writes.sync(this, table);
  }

  /**
   * Writes every page of an encrypted file anew, under the key that is current now, and makes the
   * file durable. When it returns, no page needs an older key; until then, and after a failure,
   * pages need the one or the other, and it can be begun again. Others may read and change pages
   * meanwhile; the caller holds none. What the journal has of pages as they were before stays there
   * until it is used again.
   *
   * @throws IllegalStateException if the file is not encrypted, or open for reading only, or there
   *     is no current key
   * @throws io.ewok.gds.pagestore.UnknownKeyException if the source does not have its own current
   *     key
   * @throws IOException as {@link #fixExclusive} and {@link #flush}
   */
  public void reseal() throws IOException {
    checkWritable();
    if (sealer == null || manager.keys().currentId() == KeySource.NOT_ENCRYPTED) {
      throw new IllegalStateException(
          "nothing to encrypt anew, or no key to do it with: path=%s encrypted=%b currentKeyId=%d"
              .formatted(path(), sealer != null, manager.keys().currentId()));
    }
    writes.beginLife(keyId);
    try (Fix fix = new Fix().withPriority(Priority.LOW)) {
      for (long page = 0; page < pageCount; page++) {
        table.fix(this, page, pageBytes, PageTable.Access.EXCLUSIVE, fix);
        if (!PageFormat.isNeverWritten(fix.segment())) {
          fix.markDirty(0);
        }
        fix.unfix();
      }
    }
    flush();
  }

  /** Writes dirty pages whose changes begin before a position of the log, unless they are fixed. */
  void clean(long beforeLsn, WorkClass work) throws IOException {
    if (io.canWrite()) {
      table.writeBatches(this, writes, beforeLsn, work);
    }
  }

  /** Makes durable what was written before. */
  void syncWritten() throws IOException {
    if (io.canWrite()) {
      writes.sync(this, table);
    }
  }

  /** Creates the content of a new file, or repairs an existing one and finds out what it holds. */
  void start(IoEngine engine, OpenMode mode, TornPages wanted) throws IOException {
    if (io.alignmentBytes() > table.frameBytes()) {
      throw new StorageException(
          "a frame is smaller than what the device transfers: frameBytes=%d alignmentBytes=%d"
              .formatted(table.frameBytes(), io.alignmentBytes()),
          path());
    }
    try {
      if (mode == OpenMode.CREATE_NEW) {
        startNew(engine, wanted);
      } else {
        startExisting(engine, mode, wanted);
      }
    } catch (Throwable e) {
      try (PageJournal held = journal) {
        if (mode == OpenMode.CREATE_NEW && held != null) {
          engine.delete(PageJournal.pathOf(path()));
        }
      } catch (IOException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
  }

  private void startNew(IoEngine engine, TornPages wanted) throws IOException {
    boolean can = io.atomicWrites().allows(0, units.pageBytes());
    tornPages = wanted;
    if (wanted == TornPages.AUTO) {
      tornPages = can ? TornPages.ATOMIC : TornPages.DOUBLE_WRITE;
    }
    requireAtomic();
    int current = FileKey.currentId(manager.keys(), path());
    Salt salt = current == KeySource.NOT_ENCRYPTED ? null : Salt.random();
    useKeys(salt);
    long fileId = 0;
    if (tornPages.hasJournal()) {
      fileId = UUID.randomUUID().getLeastSignificantBits();
      Staging staging = manager.staging();
      staging.lock().lock();
      try {
        journal = PageJournal.create(engine, path(), fileId, PageJournal.HALF_BYTES, staging);
      } finally {
        staging.lock().unlock();
      }
    }
    // Before there is anything in the file: whoever finds that, will find the journal, too.
    engine.syncDirectory(path().toAbsolutePath().getParent());
    keyId = current;
    startWriting(engine);
    try (Fix fix = new Fix()) {
      create(fix);
      PageFileFormat.write(fix.segment(), new Identity(tornPages, fileId, salt));
    }
    flush();
  }

  private void startExisting(IoEngine engine, OpenMode mode, TornPages wanted) throws IOException {
    Identity identity = identify();
    tornPages = identity.tornPages();
    if (wanted != TornPages.AUTO && wanted != tornPages) {
      throw new IllegalArgumentException(
          "the file has another torn-page mode: path=%s tornPages=%s wanted=%s"
              .formatted(path(), tornPages, wanted));
    }
    if (tornPages.hasJournal() && (io.canWrite() || engine.exists(PageJournal.pathOf(path())))) {
      Staging staging = manager.staging();
      staging.lock().lock();
      try {
        journal = PageJournal.open(engine, path(), identity.fileId(), mode, staging);
        JournalRecovery.run(io, size, tornPages, journal, staging);
      } finally {
        staging.lock().unlock();
      }
    }
    if (io.canWrite()) {
      requireAtomic();
      startWriting(engine);
    }
    inspect();
  }

  private void useKeys(Salt saltOrNull) {
    sealer = saltOrNull == null ? null : new PageSealer(manager.keys(), saltOrNull, size, path());
    pageBytes = size.bytes() - (sealer == null ? 0 : PageFormat.SEAL_BYTES);
  }

  private void startWriting(IoEngine engine) throws StorageException {
    if (sealer != null) {
      sealer.begin(keyId);
    }
    Staging staging = manager.staging();
    writes =
        new GroupWriter(
            new PageWriter(engine, units, size, tornPages, journal, sealer, staging), staging);
  }

  private void requireAtomic() throws StorageException {
    if (tornPages == TornPages.ATOMIC && !io.atomicWrites().allows(0, units.pageBytes())) {
      throw new StorageException(
          "the device cannot write pages wholly or not at all: pageBytes=%d %s"
              .formatted(units.pageBytes(), io.atomicWrites()),
          path());
    }
  }

  @Override
  void read(Frame frame) throws IOException {
    units.read(unit(frame.key), frame.region, frame.regionOffset);
    verify(frame, units.pageBytes());
  }

  @Override
  IoRequest prepareRead(Frame frame) {
    return units.prepareRead(new IoRequest(), unit(frame.key), frame.region, frame.regionOffset);
  }

  @Override
  void verify(Frame frame, int bytes) throws StorageException {
    if (bytes < units.pageBytes()) {
      long offset = unit(frame.key) * units.pageBytes();
      throw new CorruptFileException(
          path(), offset, units.pageBytes() + " bytes", bytes + " bytes");
    }
    if (sealer == null) {
      PageFormat.verify(frame.segment, size, frame.key, path());
    } else {
      long at = frame.regionOffset + offsetInFrame(frame.key);
      MemorySegment whole = frame.region.segment().asSlice(at, size.bytes());
      PageFormat.verify(whole, size, frame.key, path());
      sealer.open(whole, frame.key);
    }
    requireLogged(frame);
  }

  /** No page was written before its last change was durable in the log. */
  private void requireLogged(Frame frame) throws CorruptFileException {
    WriteAheadLog log = manager.options().logOrNull();
    long lsn = PageFormat.lsn(frame.segment);
    if (log != null && lsn > log.endLsn()) {
      throw new CorruptFileException(
          path(),
          frame.key * size.bytes(),
          "a page of the log, which ends at lsn " + log.endLsn(),
          "page " + frame.key + " with a change at lsn " + lsn);
    }
  }

  @Override
  void write(Frame frame) throws IOException {
    writes.write(frame);
  }

  @Override
  int offsetInFrame(long key) {
    return (int) (key * size.bytes() & io.alignmentBytes() - 1);
  }

  @Override
  void flushAll() throws IOException {
    if (io.canWrite()) {
      flush();
    }
  }

  @Override
  void end() throws IOException {
    boolean written = false;
    try (PageJournal _ = journal) {
      flushAll();
      written = true;
    } finally {
      if (!written) {
        manager.keepLog(path()); // before a checkpoint finds nothing to be done
      }
      if (writes != null) {
        writes.close();
      }
    }
  }

  private void extend(long count) throws IOException {
    if (count < 0 || count > Long.MAX_VALUE / size.bytes() - 1) {
      throw new IllegalArgumentException("no file has so many pages: count=" + count);
    }
    if (count > pageCount) {
      units.ensureCapacity(unit(count - 1) + 1);
      pageCount = count;
    }
  }

  private Identity identify() throws IOException {
    Frame frame = table.reserve();
    try {
      MemorySegment memory = cleared(frame);
      io.read(0, frame.region, frame.regionOffset, io.alignmentBytes());
      Identity identity = PageFileFormat.check(memory, size, path());
      useKeys(identity.saltOrNull());
      if (sealer == null) {
        FileKey.acceptPlain(manager.keys(), path());
      } else {
        keyId = sealer.requireKey(memory); // before anything is repaired
      }
      return identity;
    } finally {
      table.release(frame);
    }
  }

  private void inspect() throws IOException {
    Frame frame = table.reserve();
    try {
      pageCount = lastWrittenPage(frame, cleared(frame)) + 1;
    } finally {
      table.release(frame);
    }
    try (Fix fix = new Fix()) {
      table.fix(this, 0, pageBytes, PageTable.Access.SHARED, fix); // its checksum
    }
  }

  private MemorySegment cleared(Frame frame) {
    MemorySegment memory = frame.region.segment();
    return memory.asSlice(frame.regionOffset, table.frameBytes()).fill((byte) 0);
  }

  /** Looks back over the space that was reserved last for the last page with something in it. */
  private long lastWrittenPage(Frame frame, MemorySegment memory) throws IOException {
    long end = units.capacityPages() * units.pageBytes();
    long stop = Math.max(0, end - GROW_BYTES);
    while (end > stop) {
      long position = (end - 1) / memory.byteSize() * memory.byteSize();
      io.read(position, frame.region, frame.regionOffset, (int) (end - position));
      for (long at = end - position - 1; at >= 0; at--) {
        if (memory.get(ValueLayout.JAVA_BYTE, at) != 0) {
          return (position + at) / size.bytes();
        }
      }
      end = position;
    }
    return Math.max(0, end / size.bytes() - 1);
  }

  private long unit(long page) {
    return page * size.bytes() / units.pageBytes();
  }

  private static boolean isFree(MemorySegment page) {
    return (PageFormat.flags(page) & PageFormat.FLAG_FREE) != 0;
  }

  private void checkPage(long page) {
    if (page < 1 || page >= pageCount) {
      throw new IllegalArgumentException(
          "no such page: path=%s pageCount=%d page=%d".formatted(path(), pageCount, page));
    }
  }

  private void checkWritable() {
    if (!io.canWrite()) {
      throw new IllegalStateException("the file was opened for reading: path=" + path());
    }
  }
}
