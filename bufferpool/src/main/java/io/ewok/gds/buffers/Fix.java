package io.ewok.gds.buffers;

import java.lang.foreign.MemorySegment;

/**
 * Holds one page or block in the pool. Reusable: make one, fix and unfix as often as needed.
 *
 * <p>Ownership: whoever fixed something with it unfixes it; until then the page or block stays
 * where it is and keeps its latch. Segments taken from it must not be used after that: their memory
 * belongs to something else then (after the manager's close they throw {@link
 * IllegalStateException}).
 *
 * <p>Threads: one at a time. It may be handed over.
 *
 * {@snippet :
 * try (var fix = new Fix()) {
 *   file.fixShared(7, fix);
 *   use(fix.segment());
 * }
 * }
 */
public final class Fix implements AutoCloseable {
  private PageTable table;
  private Frame frame;
  private boolean exclusive;

  /** A handle of nothing yet. */
  public Fix() {}

  /** Whether it holds a page or block. */
  public boolean isFixed() {
    return frame != null;
  }

  /**
   * The page or block. Read-only unless it is a page fixed exclusively. A hit allocates nothing,
   * nor does this.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public MemorySegment segment() {
    requireFixed();
    return exclusive ? frame.segment : frame.readOnly;
  }

  /**
   * The page number, or the offset of the block in its file in bytes.
   *
   * @throws IllegalStateException if nothing is fixed
   */
  public long number() {
    requireFixed();
    return frame.key;
  }

  /**
   * Says that the page was changed and must be written. It will not be before the log is durable up
   * to {@code lsn}. May be called before or after the change, and again for each log record; the
   * largest position counts.
   *
   * @param lsn the log position just after the record of the change, which the page's header will
   *     carry; zero if the change is not logged: then the header keeps its position
   * @throws IllegalStateException if no page is fixed exclusively
   * @throws IllegalArgumentException if the log has no record that ends there yet
   */
  public void markDirty(long lsn) {
    requireFixed();
    if (!exclusive) {
      throw new IllegalStateException(
          "only a page that is fixed exclusively can be changed: number=" + frame.key);
    }
    table.markDirty(frame, lsn);
  }

  /** Lets go of the page or block, and can be used again. Does nothing if nothing is fixed. */
  public void unfix() {
    if (frame != null) {
      Frame held = frame;
      frame = null;
      table.unfix(held, exclusive);
    }
  }

  /** The same as {@link #unfix}. */
  @Override
  public void close() {
    unfix();
  }

  void requireEmpty() {
    if (frame != null) {
      throw new IllegalStateException(
          "the handle holds something already, unfix it first: number=" + frame.key);
    }
  }

  void hold(PageTable table, Frame frame, boolean exclusive) {
    this.table = table;
    this.frame = frame;
    this.exclusive = exclusive;
  }

  private void requireFixed() {
    if (frame == null) {
      throw new IllegalStateException("nothing is fixed");
    }
  }
}
