package io.ewok.gds.wal.cache;

import io.ewok.gds.allocator.ReadArena;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.wal.LogSource;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CancellationException;

/**
 * The bytes of a log for one reader: a stride that he copies from, and the next, which is read
 * meanwhile. A stride has as many pages as his average record wants, at most two.
 *
 * <p>While it waits for memory it has none. All it has can be dropped at any time between two
 * calls, and is read again if need be.
 *
 * <p>Threads: one at a time.
 */
final class Strides {
  /** The weight of a record in the average is 1 / 2^this. */
  private static final int AVERAGE_SHIFT = 3;

  private final LogReadCache cache;
  private final IoEngine engine;
  private final LogSource source;
  private final ReadArena arena;
  private final TailWindow tail;
  private final StrideCounters counters;
  private final ReadAheads readAheads;
  private final int pageBytes;
  private final int pagesMax;
  private final boolean prefetches;

  // The stride to copy from: positions [startLsn, endLsn), none if they are equal.
  private long handle = ReadArena.NONE;
  private long startLsn;
  private long endLsn;
  private MemorySegment memory;
  private long memoryOffset;

  // The next one. The request may run on when its stride was dropped.
  private final IoRequest request = new IoRequest();
  private boolean running;

  /** Its place among all reads ahead, while it is running. */
  private int place;

  private long nextHandle = ReadArena.NONE;
  private long nextStartLsn;
  private long nextEndLsn;

  /** Whether the reader is expected to go on where he is. */
  private boolean sequential = true;

  private long averageBytes;

  Strides(LogReadCache cache) {
    this.cache = cache;
    this.engine = cache.engine();
    this.source = cache.source();
    this.arena = cache.arena();
    this.tail = cache.tail();
    this.counters = cache.counters();
    this.readAheads = cache.readAheads();
    this.pageBytes = cache.options().pageBytes();
    this.pagesMax = cache.options().stridePagesMax();
    this.prefetches = cache.options().prefetch();
  }

  /** Takes note of the length of a record with its header. */
  void note(long recordBytes) {
    averageBytes += averageBytes == 0 ? recordBytes : (recordBytes - averageBytes) >> AVERAGE_SHIFT;
  }

  /** Copies bytes of the log, which lie before its end, and waits for them if need be. */
  void copy(long lsn, MemorySegment to, int length) throws IOException {
    for (long copied = 0; copied < length; ) {
      long at = lsn + copied;
      if (at < startLsn || at >= endLsn) {
        moveTo(at);
      }
      long piece = Math.min(length - copied, endLsn - at);
      MemorySegment.copy(memory, memoryOffset + (at - startLsn), to, copied, piece);
      copied += piece;
    }
  }

  private void moveTo(long lsn) throws IOException {
    boolean isNext = nextHandle != ReadArena.NONE && lsn >= nextStartLsn && lsn < nextEndLsn;
    sequential = lsn == endLsn || isNext || (sequential && nextHandle == ReadArena.NONE);
    releaseCurrent();
    if (!isNext || !arrive()) {
      dropNext();
      fetch(lsn);
    }
    prefetch();
  }

  /** Makes the next stride the one to copy from; false if it could not be read in full. */
  private boolean arrive() {
    boolean waits = !request.isDone();
    long bytes = settle();
    if (bytes < nextEndLsn - nextStartLsn) {
      return false; // what is wrong shows when it is read again
    }
    (waits ? counters.late : counters.ready).increment();
    adopt(nextHandle, nextStartLsn, nextEndLsn);
    nextHandle = ReadArena.NONE;
    return true;
  }

  private void adopt(long stride, long start, long end) {
    handle = stride;
    memory = arena.region(stride).segment();
    memoryOffset = arena.offset(stride);
    startLsn = start;
    endLsn = end;
  }

  private void fetch(long lsn) throws IOException {
    long logEnd = source.writtenLsn();
    long start = lsn - lsn % pageBytes;
    int pages = pages(start, logEnd);
    long stride = cache.allocate(pageBytes, pages);
    boolean adopted = false;
    try {
      Region region = arena.region(stride);
      long offset = arena.offset(stride);
      long end = Math.min(start + (long) pages * pageBytes, logEnd);
      if (tail.read(start, end - start, region.segment(), offset)) {
        counters.tail.increment();
      } else {
        source.read(start, region, offset, pages * pageBytes);
        counters.demanded.increment();
      }
      adopt(stride, start, end);
      adopted = true;
    } finally {
      if (!adopted) {
        arena.release(stride);
      }
    }
  }

  /**
   * Begins to read what follows, if that is worth it, nobody waits for the memory, and not too many
   * do so already.
   */
  private void prefetch() {
    long logEnd = source.writtenLsn();
    long start = endLsn;
    boolean whole = start % pageBytes == 0 && start < logEnd;
    if (!prefetches || !sequential || !whole || nextHandle != ReadArena.NONE || tail.has(start)) {
      return;
    }
    if (running && !request.isDone()) {
      return;
    }
    long unused = settle();
    int pages = pages(start, logEnd);
    long stride = cache.tryAllocate(pageBytes, pages);
    if (stride == ReadArena.NONE) {
      counters.refused.increment();
      return;
    }
    try {
      int bytes = pages * pageBytes;
      source.prepareRead(request, start, arena.region(stride), arena.offset(stride), bytes);
      place = readAheads.enter(request);
      if (place == ReadAheads.NONE) {
        counters.refused.increment();
        return;
      }
      running = true;
      submit();
      nextHandle = stride;
      nextStartLsn = start;
      nextEndLsn = Math.min(start + bytes, logEnd);
    } finally {
      if (nextHandle == ReadArena.NONE) {
        arena.release(stride);
      }
    }
  }

  private void submit() {
    boolean submitted = false;
    try {
      engine.submit(request);
      submitted = true;
    } finally {
      if (!submitted) {
        running = false;
        readAheads.leave(place, request);
      }
    }
  }

  /** How many pages to read from a position on: not beyond the log's end, nor a segment's. */
  private int pages(long start, long logEnd) {
    long left = Math.min(logEnd - start, source.segmentBytes() - start % source.segmentBytes());
    long wanted = Math.clamp(ceilingOfPages(averageBytes), 1, pagesMax);
    return (int) Math.min(ceilingOfPages(left), wanted);
  }

  private long ceilingOfPages(long bytes) {
    return (bytes + pageBytes - 1) / pageBytes;
  }

  /** Waits until the request has ended. Returns the bytes that it read. */
  private long settle() {
    if (!running) {
      return 0;
    }
    running = false;
    try {
      return request.await();
    } catch (IOException | CancellationException e) {
      return 0; // whoever needs these bytes reads them again
    } finally {
      readAheads.leave(place, request);
    }
  }

  private void releaseCurrent() {
    if (handle != ReadArena.NONE) {
      arena.release(handle);
      handle = ReadArena.NONE;
      memory = null;
    }
    startLsn = endLsn; // remembered: who goes on there is sequential
  }

  private void dropNext() {
    if (nextHandle != ReadArena.NONE) {
      // The kernel may still write into it: the arena keeps its block until that is over.
      arena.release(nextHandle);
      nextHandle = ReadArena.NONE;
      counters.wasted.increment();
    }
  }

  /** Gives all memory back. Does not wait. Returns whether there was any. */
  boolean drop() {
    boolean any = handle != ReadArena.NONE || nextHandle != ReadArena.NONE;
    releaseCurrent();
    dropNext();
    return any;
  }

  /** Gives all memory back and waits for what is in flight. */
  void close() {
    drop();
    long unused = settle();
  }
}
