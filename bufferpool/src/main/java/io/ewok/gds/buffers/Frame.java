package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.reactor.Monitor;
import java.lang.foreign.MemorySegment;

/**
 * What is known about one frame of the pool. The first frame of a run speaks for the page or block
 * in it; the others only know their first.
 *
 * <pre>
 *   FREE --bind--> LOADING --loaded--> READY --unbind--> FREE      (evicted, or its file closed)
 *                     '-------unbind (read failed)------^
 * </pre>
 *
 * <p>The pool has it latched exclusively while it is FREE or LOADING; for {@link FrameSupply#bind}
 * and {@link FrameSupply#unbind} one needs the partition's lock besides. So what it holds stands
 * still for whoever has the one or the other.
 */
final class Frame extends Latch {
  /** That there is nothing to be redone. */
  static final long NOTHING = Long.MAX_VALUE;

  /** Its line in {@link FrameLines}. */
  final int line;

  /** The place in the partition. */
  final int index;

  private final FrameLines lines;

  final Partition partition;

  final Region region;

  /** Where it begins in the region, in bytes. */
  final long regionOffset;

  // From bind to unbind, of the first frame of a run. Written with the partition's lock, latched
  // exclusively; read with either, or between a look at the latch and latching or validating it.
  CachedFile file;
  long key;
  int lengthBytes;

  /** The page or block; null before the first is loaded. */
  MemorySegment segment;

  // Guarded by the partition's lock.
  /** The first frame of the run that this one belongs to; null while free. */
  Frame head;

  long handle;
  int count;

  /** While it is being read: where others wait. */
  Load load;

  /** While a thread writes it to its file, with the latch shared. One at a time. */
  boolean writing;

  /** Made when somebody first waits, kept after that. */
  Monitor.Line latchFreed;

  // Written by who has it latched exclusively; cleaned by who is writing it, latched shared.
  boolean dirty;

  /** The log must be durable up to here before this is written. */
  long lsn;

  /** All changes that are not in the file, if it is dirty, are in the log from here on. */
  long recLsn;

  /**
   * Where the log ended when it was latched exclusively: what is logged of the page under this
   * latch comes later. {@link #NOTHING} while the pool has the latch.
   */
  long latchedLsn = NOTHING;

  Frame(
      FrameLines lines, int number, int index, Partition partition, Region region, int frameBytes) {
    super(lines.words(), FrameLines.line(number));
    this.lines = lines;
    this.line = FrameLines.line(number);
    this.index = index;
    this.partition = partition;
    this.region = region;
    this.regionOffset = (long) index * frameBytes;
  }

  /** One read that several threads wait for. Guarded by the partition's lock. */
  static final class Load {
    final Monitor.Line ended;

    /** Who reads, and would wait for ever if it waited for itself; null for a prefetch. */
    final Thread reader;

    final Priority priority;

    /** Where what is stored is read, if it differs from what is cached; else null, and zero. */
    Frame staging;

    int storedBytes;
    Throwable failure;
    boolean done;

    Load(Monitor.Line ended, Thread reader, Priority priority) {
      this.ended = ended;
      this.reader = reader;
      this.priority = priority;
    }
  }

  /** Latches it if it holds a page or block and no other latch is in the way. */
  boolean tryLatch(CachedFile file, long key, boolean exclusive) {
    long seen = look();
    while (!isLatched(seen, exclusive) && holds(file, key)) {
      long found = tryLatch(seen, exclusive);
      if (found == seen) {
        return true;
      }
      seen = found;
    }
    return false;
  }

  boolean holds(CachedFile file, long key) {
    return this.file == file && this.key == key;
  }

  /**
   * From where the log is needed for what is in the frame and not in its file, or {@link #NOTHING}.
   * Counts only what was logged before the caller asked for the end of the log: whoever latches it
   * after that, or has not yet set {@link #latchedLsn}, logs later.
   */
  long redoLsn() {
    // The latch first: what its last holder has done is visible then.
    long latched = isExclusive() ? latchedLsn : NOTHING;
    return dirty ? Math.min(recLsn, latched) : latched;
  }

  // With the partition's lock.

  boolean isHead() {
    return head == this;
  }

  /** The page or block so that it cannot be written; null before the first is loaded. */
  MemorySegment readOnly() {
    return lines.view(line);
  }

  /** Makes the views of what was bound. */
  void view() {
    long offset = regionOffset + file.offsetInFrame(key);
    segment = region.segment().asSlice(offset, lengthBytes);
    lines.setView(line, segment.asReadOnly(), partition.number, offset);
  }

  /**
   * How many have it fixed. Who reads it for itself counts, who prefetches or writes it does not.
   */
  int pins() {
    boolean prefetched = load != null && load.reader == null;
    return holders() - (writing || prefetched ? 1 : 0);
  }
}
