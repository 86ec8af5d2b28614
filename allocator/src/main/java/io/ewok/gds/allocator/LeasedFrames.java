package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Which frames of a pool are under I/O, and which of those have been freed meanwhile: they come
 * back when the last operation on them ends.
 *
 * <pre>
 *   in use or free --leased--&gt; leased (n operations) --unleased--&gt; n = 0: as before
 *                                 |
 *                               defer
 *                                 v
 *                              deferred (n operations) --unleased--&gt; n = 0: returned
 *   returned --takeReturned, nextReturned--&gt; the owner makes it free
 * </pre>
 *
 * <p>Threads: {@link #leased} and {@link #unleased} any, the rest the owner of the pool.
 */
final class LeasedFrames implements FrameLeases {
  /** Set in a state: the frame has been freed. The other bits count operations. */
  private static final int DEFERRED = Integer.MIN_VALUE;

  private static final int NO_FRAME = -1;

  private final int frameCount;
  private final int frameShift;

  private final AtomicIntegerArray states;

  /** The last frame that was returned, or {@link #NO_FRAME}; the others hang on it. */
  private final AtomicInteger returned = new AtomicInteger(NO_FRAME);

  /** The frame returned before this one. Written by who returns it, read by who takes it. */
  private final int[] returnedBefore;

  LeasedFrames(int frameCount, int frameBytes) {
    this.frameCount = frameCount;
    this.frameShift = Integer.numberOfTrailingZeros(frameBytes);
    this.states = new AtomicIntegerArray(frameCount);
    this.returnedBefore = new int[frameCount];
  }

  @Override
  public void leased(long offset, long bytes) {
    int end = endFrame(offset, bytes);
    for (int frame = firstFrame(offset); frame < end; frame++) {
      states.incrementAndGet(frame);
    }
  }

  @Override
  public void unleased(long offset, long bytes) {
    int end = endFrame(offset, bytes);
    for (int frame = firstFrame(offset); frame < end; frame++) {
      // Partner: defer, on whose side the end of the transfer happened before the frame is free.
      if (states.decrementAndGet(frame) == DEFERRED
          // Fails if somebody starts an operation on a frame that is freed already: then that one's
          // end returns it.
          && states.compareAndSet(frame, DEFERRED, 0)) {
        giveBack(frame);
      }
    }
  }

  private int firstFrame(long offset) {
    return (int) (offset >>> frameShift);
  }

  private int endFrame(long offset, long bytes) {
    return bytes == 0 ? 0 : (int) Math.min(frameCount, ((offset + bytes - 1) >>> frameShift) + 1);
  }

  private void giveBack(int frame) {
    int before;
    do {
      before = returned.get();
      returnedBefore[frame] = before;
    } while (!returned.compareAndSet(before, frame)); // partner: takeReturned
  }

  /**
   * Says that a frame has been freed.
   *
   * @return false if it is not under I/O: it is free. True if it will be returned.
   */
  boolean defer(int frame) {
    int state;
    do {
      state = states.get(frame); // partner: unleased
      if (state == 0) {
        return false;
      }
    } while (!states.compareAndSet(frame, state, state | DEFERRED));
    return true;
  }

  /**
   * Takes all frames that were returned since the last call.
   *
   * @return one of them, or a negative number; the others follow by {@link #nextReturned}
   */
  int takeReturned() {
    // A look first: the answer is mostly no, and a write would take the line from other cores.
    return returned.get() == NO_FRAME
        ? NO_FRAME
        : returned.getAndSet(NO_FRAME); // partner: giveBack
  }

  /** Returns a frame that was returned with this one, or a negative number. */
  int nextReturned(int frame) {
    return returnedBefore[frame];
  }
}
