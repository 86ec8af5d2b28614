package io.ewok.gds.pagestore;

/**
 * Tells whether the pages that a reader asks for are a stream: each as far from the one before as
 * that was from its own. Forwards or backwards, neighbours or with a stride.
 *
 * <p>Reading the same page again says nothing. One step that does not fit ends the stream.
 *
 * <p>Threads: one at a time.
 */
final class StreamDetector {
  /** Longer steps than this many pages are chance, or no use in reading together. */
  static final int STRIDE_MAX = 64;

  private static final long NONE = Long.MIN_VALUE;

  private long last = NONE;
  private long step;
  private boolean steady;

  /** Takes note of a page that was asked for, from 0. */
  void accept(long page) {
    if (page == last) {
      return;
    }
    long newStep = last == NONE ? 0 : page - last;
    steady = newStep != 0 && newStep == step && Math.abs(newStep) <= STRIDE_MAX;
    step = newStep;
    last = page;
  }

  /** Returns the distance to the next page of the stream, or 0 if there is no stream. */
  int stride() {
    return steady ? (int) step : 0;
  }
}
