package io.ewok.gds.buffers;

/**
 * Chooses what leaves the pool, by CLOCK: a hand goes round the frames; what was asked for since it
 * last came by gets a second chance. Generalised to runs: it stops where enough neighbouring frames
 * in a row are free or could be. Guarded by the manager's lock.
 */
final class ClockHand {
  private final Frame[] frames;
  private int hand;

  ClockHand(Frame[] frames) {
    this.frames = frames;
  }

  /**
   * Finds neighbouring frames that are free or whose pages and blocks are not pinned.
   *
   * @param wanted how many frames
   * @param clean whether they must not be dirty
   * @return the first of at least so many; it is free or starts a page or block. -1 if there are
   *     none
   */
  int find(int wanted, boolean clean) {
    int stretch = 0;
    int at = startOfRun(hand);
    // After one round nothing has a second chance left; the second may have to run over its own
    // start.
    long steps = 2L * frames.length + wanted;
    for (long passed = 0; passed < steps && stretch < wanted; ) {
      if (at == frames.length) {
        at = 0;
        stretch = 0;
      }
      Frame head = frames[at].head;
      int size = head == null ? 1 : head.count;
      stretch = head == null || mayGo(head, clean) ? stretch + size : 0;
      at += size;
      passed += size;
    }
    hand = at == frames.length ? 0 : at;
    return stretch < wanted ? -1 : at - stretch;
  }

  /** Makes the next search start at a frame. */
  void moveTo(int index) {
    hand = index;
  }

  private int startOfRun(int index) {
    Frame head = frames[index].head;
    return head == null ? index : head.index;
  }

  private static boolean mayGo(Frame head, boolean clean) {
    boolean go = head.isIdle() && !head.referenced && !(clean && head.dirty);
    head.referenced &= !head.isIdle();
    return go;
  }
}
