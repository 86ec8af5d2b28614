package io.ewok.gds.wal.cache;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.ReadArena;
import io.ewok.gds.allocator.ReadRequest;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogSource;
import io.ewok.gds.wal.LogTap;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Serves many readers of a log, each at a place of its own, with an amount of memory that is known
 * at start. Readers of a log go forward: while one copies records out of a stride of pages, the
 * next stride is read for it. Those near the end get what was just written from memory, and do not
 * touch the device.
 *
 * <table>
 * <caption>What becomes of a read</caption>
 * <tr><td>read</td><td>a stride of one or two pages, as the reader's average record wants; ahead, except after
 *   the reader has jumped away from what was read ahead for it</td></tr>
 * <tr><td>copy</td><td>one record into the memory of the reader; the stride is given back when its last byte was
 *   copied</td></tr>
 * <tr><td>validate</td><td>the copy: the log's checksum, and the payload's where a {@link PayloadCheck} is asked for</td></tr>
 * </table>
 *
 * <p>Memory is a {@link ReadArena} between a minimum and a maximum. Above the minimum, readers who
 * have not been seen for a while lose their pages, so that blocks become empty and are given back.
 * At the maximum nothing is read ahead, all readers between two calls lose their pages, and who
 * needs a page waits.
 *
 * <p>However many readers there are, only so many strides are being read ahead at a time ({@link
 * LogReadCacheOptions#readAheadsMax}): who comes when they are does without, and reads the next one
 * when it is needed.
 *
 * <p>Ownership: whoever creates it closes it, before the log.
 *
 * <p>Threads: any. A cursor is for one at a time.
 *
 * <pre>{@code
 * try (LogReadCache cache = new LogReadCache(engine, log.source(), budget, LogReadCacheOptions.defaults());
 *     LogCursor cursor = cache.open(lsn, LogDurability.SYNCED, PayloadCheck.NONE)) {
 *   int bytes = cursor.next(memory);
 * }
 * }</pre>
 *
 * <p>Errors: {@link IllegalStateException} after close.
 */
public final class LogReadCache implements AutoCloseable {
  /** Idle readers are looked for so often before what is left is allocated. */
  private static final int LOOKS = 4;

  private final IoEngine engine;
  private final LogSource source;
  private final LogReadCacheOptions options;
  private final ReadArena arena;
  private final long minBytes;
  private final long maxBytes;
  private final Region tailRegion;
  private final TailWindow tail;
  private final LogTap tap;
  private final StrideCounters counters = new StrideCounters();
  private final ReadAheads readAheads;
  private final Set<LogCursor> cursors = ConcurrentHashMap.newKeySet();

  /** Readers who wait for memory. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** Bytes that were allocated since the last look for idle readers. */
  private final AtomicLong allocatedBytes = new AtomicLong();

  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Creates a cache without readers, which from now on keeps what is written last.
   *
   * @param engine that the log was opened with
   * @param budget is charged the minimum and the tail at once; percentages refer to its limit
   * @throws BudgetExceededException if the budget has no room for that
   * @throws IllegalArgumentException if the log's files cannot be read in pages of this size
   */
  public LogReadCache(
      IoEngine engine, LogSource source, MemoryBudget budget, LogReadCacheOptions options) {
    this.engine = Objects.requireNonNull(engine, "engine");
    this.source = Objects.requireNonNull(source, "source");
    this.options = Objects.requireNonNull(options, "options");
    this.readAheads = new ReadAheads(options.readAheadsMax());
    if (options.pageBytes() < source.alignmentBytes()) {
      throw new IllegalArgumentException(
          "the log's files are not read in such small pages: alignmentBytes=%d pageBytes=%d"
              .formatted(source.alignmentBytes(), options.pageBytes()));
    }
    tailRegion = Region.map(budget, RegionOptions.ofSize(options.tailBytes()));
    ReadArena created = null;
    try {
      created = new ReadArena(budget, options.memory());
    } finally {
      if (created == null) {
        tailRegion.close();
      }
    }
    arena = created;
    minBytes = arena.stats().minBytes();
    maxBytes = arena.stats().maxBytes();
    tail = new TailWindow(tailRegion.segment().asSlice(0, options.tailBytes()));
    tap = tail::write;
    long unused = source.addTap(tap);
  }

  /**
   * Puts a reader at a position. It has to find its way there from the start of the position's
   * segment, from block to block, unless the position is the end of the log.
   *
   * @param lsn where a record ends, or the log begins; as for {@link LogSource#walk}
   * @param level how far a record has come when it is read: BUFFERED or SYNCED
   * @param check what to check beyond the log's own checksum
   * @throws IllegalArgumentException if the position is outside of the log, or the level is NONE
   */
  public LogCursor open(long lsn, LogDurability level, PayloadCheck check) {
    Objects.requireNonNull(check, "check");
    if (level == LogDurability.NONE) {
      throw new IllegalArgumentException("what is read was written: level=" + level);
    }
    LogCursor cursor = new LogCursor(this, lsn, level, check);
    cursors.add(cursor);
    if (closed.get()) {
      cursor.close();
      throw new IllegalStateException("the cache is closed: " + this);
    }
    return cursor;
  }

  /**
   * Takes the pages of all readers who are not in a call just now, and gives what is above the
   * minimum back: for when others need memory. Costs these readers a read.
   *
   * @return how many bytes were given back
   */
  public long compact() {
    cursors.forEach(LogCursor::reclaim);
    return arena.compact();
  }

  /** Returns what was done, and the memory that is used. */
  public LogReadCacheStats stats() {
    var memory = arena.stats();
    return new LogReadCacheStats(
        cursors.size(),
        memory.committedBytes(),
        memory.maxBytes(),
        options.tailBytes(),
        counters.ready.sum(),
        counters.late.sum(),
        counters.demanded.sum(),
        counters.tail.sum(),
        counters.wasted.sum(),
        counters.refused.sum(),
        counters.memoryWaits.sum(),
        counters.reclaimed.sum());
  }

  /**
   * Closes the cursors and gives the memory back. Twice does nothing.
   *
   * @throws IllegalStateException if a cursor is in use by another thread. No cursor is opened any
   *     more, and others may be closed; close again when the call has returned.
   */
  @Override
  public void close() {
    closed.set(true);
    source.removeTap(tap);
    cursors.forEach(LogCursor::close);
    arena.close();
    tailRegion.close();
  }

  IoEngine engine() {
    return engine;
  }

  LogSource source() {
    return source;
  }

  LogReadCacheOptions options() {
    return options;
  }

  ReadArena arena() {
    return arena;
  }

  TailWindow tail() {
    return tail;
  }

  StrideCounters counters() {
    return counters;
  }

  ReadAheads readAheads() {
    return readAheads;
  }

  void closed(LogCursor cursor) {
    cursors.remove(cursor);
  }

  boolean isShortOfMemory() {
    return waiting.get() > 0;
  }

  /** Allocates, if there is room and nobody waits for it. */
  long tryAllocate(int pageBytes, int pages) {
    compactNowAndThen((long) pageBytes * pages);
    return arena.allocate(pageBytes, pages);
  }

  /** Allocates for a reader who has no pages, and waits for room if need be. */
  long allocate(int pageBytes, int pages) {
    long handle = tryAllocate(pageBytes, pages);
    return handle != ReadArena.NONE ? handle : await(pageBytes, pages);
  }

  private long await(int pageBytes, int pages) {
    counters.memoryWaits.increment();
    Baton granted = new Baton();
    AtomicLong grant = new AtomicLong();
    waiting.incrementAndGet();
    try {
      ReadRequest unused =
          arena.whenAvailable(
              pageBytes,
              pages,
              handle -> {
                grant.set(handle);
                granted.post();
              });
      cursors.forEach(LogCursor::reclaim);
      granted.await();
      if (grant.get() == ReadArena.NONE) {
        throw new IllegalStateException("the cache is closed: " + this);
      }
      return grant.get();
    } finally {
      waiting.decrementAndGet();
    }
  }

  /**
   * Looks for idle readers, the more often the nearer the maximum is: those who are only slower
   * than others would lose what was read ahead for them.
   */
  private void compactNowAndThen(long bytes) {
    long sum = allocatedBytes.addAndGet(bytes);
    if (sum < ReadArena.BLOCK_BYTES) {
      return;
    }
    long committed = arena.committedBytes();
    boolean due = sum >= (maxBytes - committed) / LOOKS && allocatedBytes.compareAndSet(sum, 0);
    if (due && committed > minBytes) {
      cursors.forEach(LogCursor::reclaimIfUnused);
      long unused = arena.compact();
    }
  }

  @Override
  public String toString() {
    return "log read cache of %d readers, %s".formatted(cursors.size(), arena);
  }
}
