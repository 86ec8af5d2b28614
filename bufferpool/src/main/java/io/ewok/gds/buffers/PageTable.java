package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.buffers.eviction.ReferenceMarks;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What is in the pool and who uses it: finds pages and blocks, and latches them. What is not there
 * is the work of a {@link Partition}.
 *
 * <p>Threads: any.
 */
final class PageTable {
  /*
   * Who holds what:
   *
   *   a hit                 no lock. Finds the frame (FrameIndex), then latches it if it still holds what was
   *                         looked for (FrameLines.tryShare, tryLatch), then looks whether the file may be used: one
   *                         who closes it says so first and then looks for latches.
   *   an optimistic hit     finds the frame, and takes the latch's stamp before it looks what the frame holds
   *                         (FrameLines.look). What changes that later makes the stamp invalid. What it looks for is in no
   *                         frame if the file could not be used, which closes no later than its manager.
   *   whatever else         the partition's lock (PoolWaits), one at a time, never during a read, a write, a sync or a checksum: a frame
   *                         is loading, latched exclusively, or writing, latched shared, meanwhile, and others find
   *                         it so.
   *   unfix                 no lock, but to wake somebody.
   *   evict, drop           the lock and the exclusive latch: no hit finds the page from then on.
   *   close, poison         the lock of those who close, then each partition's. A close is tried: others see it, leave
   *                         their partition's lock, and learn from the first lock how it went.
   *
   * With the lock, latches are tried and waited for (which gives it up), so a thread may have any number of latches
   * when it takes the lock.
   */

  /** How a page or block is wanted. */
  enum Access {
    SHARED,
    EXCLUSIVE,
    /** Exclusive, and known to be zeros only: not read. */
    FRESH
  }

  private static final int CACHE_LINE_BYTES = 64;

  private final int frameBytes;
  private final int framesPerPartition;
  private final WriteAheadLog log;
  private final Partition[] partitions;
  private final Frame[] frames;
  private final FrameLines lines;
  private final FrameIndex index;

  private final MemorySegment[] memories;

  private final ReferenceMarks marks;
  private final BatchWriter batchWriter;
  private final HitCounter hits;

  // Of lines and index: what a look reads is a step less away.
  private final long[] words;
  private final int[] buckets;
  private final int shift;

  private final FixOrigins origins;
  private final AtomicInteger reserved = new AtomicInteger();
  private final AtomicInteger roomWanted = new AtomicInteger();

  /** Whoever closes or poisons has it; taken before the lock of a partition. */
  private final Monitor closing = new Monitor();

  /** Written under closing. */
  private volatile boolean closed;

  /** A table of empty frames, as many as fit into the regions, which are borrowed. */
  PageTable(List<Region> regions, BufferOptions options) {
    this.frameBytes = options.frameBytes();
    this.log = options.logOrNull();
    this.batchWriter = new BatchWriter(log);
    this.origins = options.fixOrigins() ? new FixOrigins() : null;
    this.frames = new Frame[options.frameCount()];
    this.lines = new FrameLines(frames.length);
    this.marks = lines.marks(0, frames.length);
    this.framesPerPartition = options.framesPerPartition();
    int bucketCount = Integer.highestOneBit(frames.length) * 2;
    this.index = new FrameIndex(lines, frames, regions.size(), bucketCount);
    this.words = lines.words();
    this.hits = new HitCounter(words);
    this.buckets = index.buckets();
    this.shift = index.shift();
    this.memories = new MemorySegment[regions.size()];
    this.partitions = new Partition[regions.size()];
    for (int i = 0; i < partitions.length; i++) {
      int first = i * framesPerPartition;
      memories[i] = regions.get(i).segment().asReadOnly();
      partitions[i] = new Partition(this, i, regions.get(i), options, first);
      System.arraycopy(partitions[i].frames(), 0, frames, first, framesPerPartition);
    }
  }

  int frameBytes() {
    return frameBytes;
  }

  FrameLines lines() {
    return lines;
  }

  FrameIndex index() {
    return index;
  }

  /** All of each partition's region, read-only. */
  MemorySegment[] memories() {
    return memories;
  }

  /** How many partitions want room. */
  AtomicInteger roomWanted() {
    return roomWanted;
  }

  /** All frames, for whoever writes them back. */
  Frame[] frames() {
    return frames;
  }

  /** Fixes a page or block, reading it if nobody has. */
  void fix(CachedFile file, long key, int lengthBytes, Access access, Fix into) throws IOException {
    fix(file, key, lengthBytes, 0, access, into);
  }

  /** The same, of a block that is made of so many stored bytes. */
  void fix(CachedFile file, long key, int lengthBytes, int storedBytes, Access access, Fix into)
      throws IOException {
    into.requireEmpty();
    boolean exclusive = access != Access.SHARED;
    int line = tryHit(file, key, lengthBytes, exclusive);
    if (line != FrameLines.NONE) {
      hit(line, into.priority(), into.counter);
    } else {
      line = fixSlowly(file, key, lengthBytes, storedBytes, access, into).line;
    }
    if (exclusive) {
      frame(line).latchedLsn = log == null ? 0 : log.endLsn();
    }
    into.use(this);
    into.hold(line, key, lengthBytes, lines.place(line), exclusive);
    if (origins != null) {
      origins.add(into, file, key);
    }
  }

  /**
   * Finds a page or block where it mostly is, without latching it. Small, so that it becomes part
   * of its caller: all that is done seldom is elsewhere.
   *
   * @return false if it is not there, or there is no such page or block, or the handle is not of
   *     this table yet: {@link #lookFurther}
   */
  boolean look(CachedFile file, long key, int lengthBytes, Fix into) {
    into.requireEmpty();
    long[] words = this.words; // once: what was read before a latch is not known after it
    int line = FrameIndex.first(buckets, shift, file, key);
    if (!into.isOf(this)
        || !FrameLines.look(words, line, key, file.heldIfUsable(lengthBytes), into)) {
      return false;
    }
    HitCounter.increment(words, into.counter);
    return true;
  }

  /**
   * Latches a page or block, shared, where it mostly is. Small, as {@link #look}.
   *
   * @return false if it is not there, or not to be had at once, or there is no such page or block,
   *     or the handle is not of this table yet: {@link #fix}
   */
  boolean share(CachedFile file, long key, int lengthBytes, Fix into) {
    into.requireEmpty();
    long[] words = this.words;
    int line = FrameIndex.first(buckets, shift, file, key);
    if (!into.isOf(this)
        || origins != null
        || !FrameLines.tryShare(words, line, key, file.held(lengthBytes))) {
      return false;
    }
    if (!mayUse(file)) { // who closes it says so first and then looks for latches
      unfix(line, false);
      return false;
    }
    FrameLines.mark(words, line, into.priority());
    HitCounter.increment(words, into.counter);
    into.hold(line, key, lengthBytes, FrameLines.place(words, line), false);
    return true;
  }

  /**
   * Latches a block, shared, where it was once. Its first bytes are fetched meanwhile: who waits
   * for the latch's line first and then for them waits twice.
   *
   * @param frame {@link FrameLines#frame} of then, or anything
   * @return false if it is not there, or not to be had at once, or the handle is not of this table
   *     yet: {@link #fix}
   */
  boolean shareAt(CachedFile file, long key, int frame, int fetchedBytes, Fix into) {
    into.requireEmpty();
    if (!into.isOf(this) || origins != null || frame < 0 || frame >= frames.length) {
      return false;
    }
    into.fetched = fetch(frame, Math.min(fetchedBytes, frameBytes));
    long[] words = this.words;
    int line = FrameLines.line(frame);
    if (!FrameLines.tryShare(words, line, key, file)) {
      return false;
    }
    if (!mayUse(file)) { // who closes it says so first and then looks for latches
      unfix(line, false);
      return false;
    }
    FrameLines.mark(words, line, into.priority());
    HitCounter.increment(words, into.counter);
    int lengthBytes = FrameLines.lengthBytes(words, line);
    into.hold(line, key, lengthBytes, FrameLines.place(words, line), false);
    return true;
  }

  /** Reads of each cache line: then the processor asks for all of them at once. */
  private long fetch(int frame, int bytes) {
    int partition = frame / framesPerPartition;
    MemorySegment memory = Fix.NATIVE.cast(memories[partition]);
    long start = (long) (frame - partition * framesPerPartition) * frameBytes;
    long sum = 0;
    for (int offset = 0; offset <= bytes - Long.BYTES; offset += CACHE_LINE_BYTES) {
      sum += memory.get(ValueLayout.JAVA_LONG, start + offset);
    }
    return sum;
  }

  /** Whether a frame holds what it held when its latch had this stamp. If so, that is a hit. */
  boolean lookAgain(int line, long stamp, Priority priority, int counter) {
    if (!lines.lookAgain(line, stamp, priority)) {
      return false;
    }
    hits.increment(counter);
    return true;
  }

  /** Finds it wherever it is, or reads it and lets go again. */
  void lookFurther(CachedFile file, long key, int lengthBytes, int storedBytes, Fix into)
      throws IOException {
    into.use(this);
    if (mayUse(file)
        && FrameLines.look(words, index.peek(file, key), key, file.held(lengthBytes), into)) {
      hits.increment(into.counter);
      return;
    }
    Frame latched = fixSlowly(file, key, lengthBytes, storedBytes, Access.SHARED, into);
    int line = latched.line;
    into.look(line, key, lengthBytes, lines.place(line), latched.stamp());
    unfix(latched, false);
  }

  /** Latches what is in the pool and not latched by somebody else. Returns its line, or none. */
  private int tryHit(CachedFile file, long key, int lengthBytes, boolean exclusive) {
    long held = file.held(lengthBytes);
    int line = FrameIndex.first(buckets, shift, file, key);
    if (!lines.tryLatch(line, key, held, exclusive)) {
      line = index.peek(file, key);
      if (!lines.tryLatch(line, key, held, exclusive)) {
        return FrameLines.NONE;
      }
    }
    if (!mayUse(file)) {
      unfix(line, exclusive);
      return FrameLines.NONE;
    }
    return line;
  }

  /** If not, {@link #requireUsable} tells for sure: a close may be refused. */
  boolean mayUse(CachedFile file) {
    return file.mayBeUsed() && !closed;
  }

  /** Says that something in the pool was asked for. Without a lock. */
  void hit(int line, Priority priority, int counter) {
    lines.mark(line, priority);
    hits.increment(counter);
  }

  private Partition partition(CachedFile file, long key) {
    return partitions[index.partition(file, key)];
  }

  private Frame fixSlowly(
      CachedFile file, long key, int lengthBytes, int storedBytes, Access access, Fix into)
      throws IOException {
    into.missed();
    Partition partition = partition(file, key);
    int readBytes = file.readBytes(key, storedBytes);
    if (!partition.isLargeEnough(lengthBytes, readBytes)) {
      throw new IllegalArgumentException(
          "longer than a partition of the pool: lengthBytes=%d readBytes=%d partitionBytes=%d"
              .formatted(lengthBytes, readBytes, (long) partition.frames().length * frameBytes));
    }
    Priority priority = into.priority();
    try {
      Frame frame = partition.fix(file, key, lengthBytes, readBytes, access, priority);
      while (frame == null) {
        requireUsable(file);
        frame =
            partition.fix(
                file, key, lengthBytes, readBytes, access, priority); // its close was refused
      }
      return frame;
    } catch (LatchTimeoutException e) {
      if (origins != null) {
        origins.explain(e, file, key);
      }
      throw e;
    } catch (PoolExhaustedException e) {
      throw explained(e, null);
    }
  }

  private <E extends RuntimeException> E explained(E failure, CachedFile fileOrNull) {
    if (origins != null) {
      origins.explain(failure, fileOrNull);
    }
    return failure;
  }

  /** As {@link Partition#bindAtOnce}. */
  Frame bindAtOnce(
      CachedFile file,
      long key,
      int lengthBytes,
      int storedBytes,
      Thread readerOrNull,
      Priority priority) {
    return partition(file, key)
        .bindAtOnce(file, key, lengthBytes, storedBytes, readerOrNull, priority);
  }

  /** Whether it was in the pool a moment ago; perhaps, if it is only just read. */
  boolean isThere(CachedFile file, long key) {
    return index.peek(file, key) != FrameLines.NONE;
  }

  /** As {@link LoadedBlockFile#isUsed}. */
  boolean isUsed(CachedFile file, long key) {
    int line = index.peek(file, key);
    return line != FrameLines.NONE && marks.get(FrameLines.frame(line)) > 0;
  }

  /** As {@link LoadedBlockFile#put}. */
  void put(CachedFile file, long key, MemorySegment block, Priority priority) {
    partition(file, key).put(file, key, block, priority);
  }

  // For a Fix, by the frame's line.

  /** The page or block, which may be another by now if it is not latched. */
  MemorySegment view(int line) {
    return lines.view(line);
  }

  /** The same if it is latched exclusively, to be changed. */
  MemorySegment segment(int line) {
    return frame(line).segment;
  }

  void unfix(Fix fix, int line, boolean exclusive) {
    if (origins != null) {
      origins.remove(fix);
    }
    unfix(line, exclusive);
  }

  private void unfix(int line, boolean exclusive) {
    if (PoolWaits.mustWake(lines.release(line, exclusive), roomWanted)) {
      Frame released = frame(line);
      released.partition.waits.released(released);
    }
  }

  /** With the exclusive latch. */
  void markDirty(int line, long lsn) {
    markDirty(frame(line), lsn);
  }

  private Frame frame(int line) {
    return frames[FrameLines.frame(line)];
  }

  // For all.

  void unfix(Frame frame, boolean exclusive) {
    frame.partition.waits.release(frame, exclusive);
  }

  private void markDirty(Frame frame, long lsn) {
    if (lsn < 0 || (log != null && lsn > log.endLsn())) {
      throw new IllegalArgumentException("the log has no record that ends there: lsn=" + lsn);
    }
    if (lsn > 0) {
      PageFormat.setLsn(frame.segment, Math.max(lsn, PageFormat.lsn(frame.segment)));
    }
    if (!frame.dirty) {
      frame.recLsn = frame.latchedLsn;
      frame.dirty = true;
    }
    frame.lsn = Math.max(frame.lsn, lsn);
  }

  /** Writes the pages of a file that are dirty, or being written, when this is called. */
  void writeDirty(CachedFile file) throws IOException {
    for (Partition partition : partitions) {
      partition.writeBack.writeAll(file, partition.frames());
    }
  }

  /**
   * Writes pages of a file that are dirty now with changes from before a position of the log, as
   * long as nobody changes them.
   */
  void writeBatches(CachedPageFile file, GroupWriter writes, long beforeLsn, WorkClass work)
      throws IOException {
    List<BatchWriter.Dirty> dirty = new ArrayList<>();
    for (Partition partition : partitions) {
      partition.writeBack.addDirty(file, partition.frames(), beforeLsn, dirty);
    }
    dirty.sort(Comparator.comparingLong(BatchWriter.Dirty::key));
    batchWriter.write(file, writes, dirty, work);
  }

  /** About how many pages are dirty. */
  int dirtyCount() {
    int count = 0;
    for (Frame frame : frames()) {
      count += frame.dirty ? 1 : 0;
    }
    return count;
  }

  /**
   * From where the log is needed to redo what is in the pool and was not yet written. What was
   * written needs a sync, after this call, before the log may forget what lies before.
   */
  long redoLsn() {
    long oldest = log.endLsn(); // before the frames, see Frame.redoLsn
    for (Frame frame : frames()) {
      oldest = Math.min(oldest, frame.redoLsn());
    }
    return oldest;
  }

  /** Takes a frame out of the pool for the caller's own use. Given back by {@link #release}. */
  Frame reserve() throws IOException {
    int next = Math.floorMod(reserved.getAndIncrement(), partitions.length);
    return partitions[next].reserve();
  }

  void release(Frame frame) {
    frame.partition.release(frame);
  }

  /**
   * Lets nobody fix anything in a file any more.
   *
   * @return whether it was open
   * @throws IllegalStateException if something in it is fixed; nothing changes
   */
  boolean close(CachedFile file) {
    closing.lock();
    try {
      if (!file.markClosed()) {
        return false;
      }
      int pins = pins(file);
      if (pins > 0) {
        file.markOpen();
        throw explained(stillFixed(pins), file);
      }
      return true;
    } finally {
      closing.unlock();
    }
  }

  /** The same for all files. */
  boolean close() {
    closing.lock();
    try {
      if (closed) {
        return false;
      }
      closed = true;
      int pins = pins(null);
      if (pins > 0) {
        closed = false;
        throw explained(stillFixed(pins), null);
      }
      return true;
    } finally {
      closing.unlock();
    }
  }

  /** Gives the frames up, once all files are closed and nothing is cached any more. */
  void end() {
    for (Partition partition : partitions) {
      partition.end();
    }
  }

  /**
   * Makes a file fail from now on: what was written to it may be lost, and what was evicted be old.
   */
  void poison(CachedFile file, Throwable cause) {
    closing.lock();
    try {
      file.markPoisoned(cause);
    } finally {
      closing.unlock();
    }
  }

  /** Empties the frames of a closed file, written or not. */
  void drop(CachedFile file) {
    for (Partition partition : partitions) {
      partition.drop(file);
    }
  }

  BufferStats stats() {
    BufferStats sum = new BufferStats(hits.sum(), 0, 0, 0, 0, 0, 0, 0, 0);
    for (Partition partition : partitions) {
      sum = sum.plus(partition.stats());
    }
    return sum;
  }

  private int pins(CachedFile file) {
    int pins = 0;
    for (Partition partition : partitions) {
      pins += partition.pins(file);
    }
    return pins;
  }

  private static IllegalStateException stillFixed(int pins) {
    return new IllegalStateException("pages or blocks are still fixed: pins=" + pins);
  }

  private void requireUsable(CachedFile file) throws PoisonedFileException {
    closing.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the buffer manager is closed");
      }
      file.checkUsable();
    } finally {
      closing.unlock();
    }
  }
}
