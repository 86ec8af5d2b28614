package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordLocation;

/**
 * Asks the filter of one cursor, and knows who is in it: a filter that waited for the end of its
 * own move would wait for ever.
 *
 * <p>Threads: one at a time asks; any ends.
 */
final class FilterGuard {
  private final CursorFilter filter;
  private final RecordView view = new RecordView();

  /** The thread that moves the cursor, or null. Of use to that thread alone. */
  private Thread moving;

  /** Why no move is to go on, or null. Written without the cursor's latch, which moves have. */
  private volatile String ending;

  FilterGuard(CursorFilter filter) {
    this.filter = filter;
  }

  void beginMove() {
    moving = Thread.currentThread();
  }

  void endMove() {
    moving = null;
    view.end();
  }

  /** Ends a move that passes by records, at the next one. */
  void end(String reason) {
    ending = reason;
  }

  boolean isInside(Thread thread) {
    return moving == thread;
  }

  /** Asks about the record that lies there. */
  boolean accepts(
      RecordLocation record, long keyAddress, int keyBytes, long valueAddress, int valueBytes) {
    String reason = ending;
    if (reason != null) {
      throw new IllegalStateException(reason);
    }
    view.show(record, keyAddress, keyBytes, valueAddress, valueBytes);
    return filter.accepts(view);
  }
}
