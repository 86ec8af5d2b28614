package io.ewok.gds.buffers;

import io.ewok.gds.buffers.eviction.Priority;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Holds one page or block in the pool, or looks at a page without holding it. Reusable: make one,
 * fix and unfix as often as needed.
 *
 * <p>Ownership: whoever fixed something with it unfixes it; until then the page or block stays
 * where it is and keeps its latch, unless it was fixed optimistically. Segments taken from it must
 * not be used after that: their memory belongs to something else then (after the manager's close
 * they throw {@link IllegalStateException}).
 *
 * <p>Threads: one at a time. It may be handed over.
 *
 * {@snippet :
 * try (var fix = new Fix()) {
 *   file.fixShared(7, fix);
 *   use(fix.segment());
 * }
 * }
 *
 * <p>Of a page in the pool, {@link #getLong} and {@link #getInt} touch nothing but what {@link
 * #validate} touches, too, and the page. {@link #segment} is an object of its own.
 *
 * <p>An optimistic fix keeps nobody from changing the page, or from evicting it and reading another
 * one into its memory. So nothing that was read may be believed before {@link #validate} has
 * returned true. Lengths and offsets read meanwhile may be anything: an {@link
 * IndexOutOfBoundsException} means something only if the page validates, and a loop needs an end
 * that does not come from the page.
 *
 * {@snippet :
 * long value = 0;
 * for (boolean valid = false; !valid; fix.unfix()) {
 *   file.fixOptimistic(7, fix);
 *   try {
 *     value = find(fix.segment(), key);
 *     valid = fix.validate();
 *   } catch (IndexOutOfBoundsException e) {
 *     if (fix.validate()) {
 *       throw e; // it is not the page that fooled us
 *     }
 *   }
 * }
 * }
 */
public final class Fix implements AutoCloseable {
  /*
   * What is held, in one word, so that a hit compares and writes little: a stamp of the latch, which has none of the
   * lowest bits, or one of these.
   */
  private static final long NOTHING = 3;
  private static final long EXCLUSIVE = 2;
  private static final long SHARED = 1;

  /** The part of {@link #place} that is the offset. */
  private static final long OFFSET = 0xffff_ffffL;

  /** Of all segments of memory outside the heap. */
  static final Class<? extends MemorySegment> NATIVE = MemorySegment.NULL.getClass();

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Where hits are counted: threads that have made a handle each do not meet. */
  final int counter = HitCounter.place(Thread.currentThread());

  /** What {@link PageTable#shareAt} has read: if nobody could ask for it, it would not be. */
  long fetched;

  private PageTable table;

  // Of the table: who reads or validates need not go there.
  private long[] words;
  private MemorySegment[] memories;

  /** Of the frame. */
  private int line;

  /** Zero if nothing is fixed. */
  private int lengthBytes;

  /** As {@link FrameLines#place}. */
  private long place;

  private long number;
  private long held = NOTHING;
  private Priority priority = Priority.NORMAL;
  private boolean onlyCached;
  private long misses;

  /** A handle of nothing yet. */
  public Fix() {}

  /**
   * Says how long what is read for this from now on should stay in the pool when it is no longer
   * fixed. What is there keeps the priority of who had it read; but a scan, {@link Priority#LOW},
   * does not make it stay any longer.
   */
  public Fix withPriority(Priority priority) {
    this.priority = Objects.requireNonNull(priority, "priority");
    return this;
  }

  Priority priority() {
    return priority;
  }

  /**
   * Says whether what is fixed with this from now on has to be in the pool already. If so, a fix of
   * anything else throws {@link NotCachedException} instead of reading it or waiting for it.
   */
  public void onlyCached(boolean only) {
    onlyCached = only;
  }

  /** What was fixed with this was not in the pool, or not to be had at once. */
  void missed() {
    if (onlyCached) {
      throw new NotCachedException();
    }
    misses++;
  }

  /** How often something was fixed with this that had to be read or waited for. */
  public long misses() {
    return misses;
  }

  /** Whether it holds, or looks at, a page or block. */
  public boolean isFixed() {
    return held != NOTHING;
  }

  /**
   * The page or block. Read-only unless it is a page fixed exclusively. A hit allocates nothing,
   * nor does this.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public MemorySegment segment() {
    requireFixed();
    // Of an optimistic fix it may be that of what came after, which does not validate.
    return held == EXCLUSIVE ? table.segment(line) : table.view(line);
  }

  /**
   * Reads eight bytes of the page or block, little-endian. As from {@link #segment}, but touches
   * less memory besides.
   *
   * @param offset in bytes, need not be aligned
   * @throws IllegalStateException if nothing is fixed, or the manager is closed
   * @throws IndexOutOfBoundsException if they are not all in the page or block
   */
  public long getLong(long offset) {
    long start = start(offset, Long.BYTES);
    return partition().get(LONG, start);
  }

  /** The same for four bytes. */
  public int getInt(long offset) {
    long start = start(offset, Integer.BYTES);
    return partition().get(INT, start);
  }

  /** What the compiler knows to lie outside the heap is read without asking how. */
  private MemorySegment partition() {
    return NATIVE.cast(memories[(int) (place >> 32)]);
  }

  /** Where so many bytes are in the memory of the partition. */
  private long start(long offset, int bytes) {
    if (offset < 0 || offset > lengthBytes - bytes) { // so, too, if nothing is fixed
      throw outside(offset, bytes);
    }
    return (place & OFFSET) + offset;
  }

  private IndexOutOfBoundsException outside(long offset, int bytes) {
    requireFixed();
    return new IndexOutOfBoundsException(
        "not within the page or block: lengthBytes=%d offset=%d bytes=%d"
            .formatted(lengthBytes, offset, bytes));
  }

  /**
   * The address of the first byte of {@link #segment}, without touching that. What lies there may
   * be read until the page or block is unfixed, unless it is fixed optimistically.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public long address() {
    requireFixed();
    return partition().address() + (place & OFFSET);
  }

  /**
   * The memory that the page or block lies in, with others: read-only. For who makes views of parts
   * of it, at {@link #address}, more often than pages and blocks are fixed.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public MemorySegment memory() {
    requireFixed();
    return partition();
  }

  /**
   * The page number, or the offset of the block in its file in bytes.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public long number() {
    requireFixed();
    return number;
  }

  /**
   * The number of the frame in the pool where it begins, for {@link LoadedBlockFile#tryFixAt}.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public int frame() {
    requireFixed();
    return FrameLines.frame(line);
  }

  /**
   * The length of the page or block in bytes.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public int lengthBytes() {
    requireFixed();
    return lengthBytes;
  }

  /**
   * Whether all that was read from the segment until now was on the page at the same time. Always
   * so if it is not fixed optimistically. If not, nothing can be read with this fix any more.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public boolean validate() {
    if (isOptimistic()) { // first, as only who may be wrong asks often
      return Latch.validate(words, line, held);
    }
    requireFixed();
    return true;
  }

  /**
   * Says that the page was changed and must be written. It will not be before the log is durable up
   * to {@code lsn}. May be called before or after the change, and again for each log record; the
   * largest position counts.
   *
   * @param lsn the log position just after the record of the change, which the page's header will
   *     carry; the record was appended while the page was fixed. Zero if the change is not logged:
   *     then the header keeps its position
   * @throws IllegalStateException if no page is fixed exclusively
   * @throws IllegalArgumentException if the log has no record that ends there yet
   */
  public void markDirty(long lsn) {
    requireFixed();
    if (held != EXCLUSIVE) {
      throw new IllegalStateException(
          "only a page that is fixed exclusively can be changed: number=" + number);
    }
    table.markDirty(line, lsn);
  }

  /** Lets go of the page or block, and can be used again. Does nothing if nothing is fixed. */
  public void unfix() {
    long was = held;
    held = NOTHING;
    lengthBytes = 0;
    if ((was & NOTHING) != 0 && was != NOTHING) {
      table.unfix(this, line, was == EXCLUSIVE);
    }
  }

  /** The same as {@link #unfix}. */
  @Override
  public void close() {
    unfix();
  }

  void requireEmpty() {
    if (held != NOTHING) {
      throw new IllegalStateException(
          "the handle holds something already, unfix it first: number=" + number);
    }
  }

  /** For a frame that is latched. */
  void hold(int line, long number, int lengthBytes, long place, boolean exclusive) {
    look(line, number, lengthBytes, place, exclusive ? EXCLUSIVE : SHARED);
  }

  /**
   * For a frame that is not latched.
   *
   * @param stamp taken before whatever is read here
   */
  void look(int line, long number, int lengthBytes, long place, long stamp) {
    this.line = line;
    this.number = number;
    this.lengthBytes = lengthBytes;
    this.place = place;
    this.held = stamp;
  }

  /**
   * Says whose frames those are that it is told of after this. Not on the way of a hit, where
   * {@link #isOf} is enough: collectors make a reference that is stored cost as much as all of
   * that.
   */
  void use(PageTable table) {
    if (this.table != table) {
      this.table = table;
      words = table.lines().words();
      memories = table.memories();
    }
  }

  /** Whether the frames are those of this table already. */
  boolean isOf(PageTable table) {
    return this.table == table;
  }

  /** What {@link #look} was told last. */
  long stamp() {
    return held;
  }

  /**
   * Looks at what another handle looks at, if that is still where it was: the cheapest fix there
   * is, since nothing has to be found. Optimistic, as the other one is, which any number of threads
   * may ask at the same time while nobody fixes or unfixes with it.
   *
   * @param other fixed optimistically, some time ago; if not, this does nothing
   * @return whether it is still there; if not, nothing is fixed
   */
  public boolean fixAgain(Fix other) {
    requireEmpty();
    if (!other.isOptimistic()
        || !other.table.lookAgain(other.line, other.held, priority, counter)) {
      return false;
    }
    use(other.table);
    look(other.line, other.number, other.lengthBytes, other.place, other.held);
    return true;
  }

  private boolean isOptimistic() {
    return (held & NOTHING) == 0;
  }

  private void requireFixed() {
    if (held == NOTHING) {
      throw new IllegalStateException("nothing is fixed");
    }
  }
}
