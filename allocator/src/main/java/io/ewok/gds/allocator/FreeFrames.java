package io.ewok.gds.allocator;

import java.util.Arrays;

/**
 * Which frames of a pool are free: one bit each, and where the first of them can be at the
 * earliest. Confined to the owner of the pool.
 */
final class FreeFrames {
  private final int frameCount;

  /** Bit set: the frame is free. Bits from {@link #frameCount} on are never set. */
  private final long[] words;

  /** No word before this one has a free frame. */
  private int lowestWord;

  private int count;

  /** All frames are free. */
  FreeFrames(int frameCount) {
    this.frameCount = frameCount;
    this.words = new long[(frameCount + Long.SIZE - 1) >>> 6];
    add(0, frameCount);
  }

  /** Returns how many frames are free. */
  int count() {
    return count;
  }

  /** Takes the free frame of the lowest index. Returns it, or -1. */
  int takeFirst() {
    for (int word = lowestWord; word < words.length; word++) {
      long bits = words[word];
      if (bits != 0) {
        words[word] = bits & (bits - 1);
        lowestWord = word;
        count--;
        return (word << 6) + Long.numberOfTrailingZeros(bits);
      }
    }
    lowestWord = words.length;
    return -1;
  }

  /**
   * Takes neighbouring free frames, the first such at or after an index.
   *
   * @return the first of them, or -1
   */
  int takeRun(int frames, int from) {
    int start = nextFree(from);
    while (start < frameCount) {
      int end = nextUsed(start);
      if (end - start >= frames) {
        for (int index = start; index < start + frames; index++) {
          words[index >>> 6] &= ~(1L << index);
        }
        count -= frames;
        return start;
      }
      start = nextFree(end);
    }
    return -1;
  }

  /** Takes all free frames. */
  void takeAll() {
    Arrays.fill(words, 0);
    count = 0;
  }

  /** Makes a frame free that is not. */
  void add(int index) {
    int word = index >>> 6;
    words[word] |= 1L << index;
    lowestWord = Math.min(lowestWord, word);
    count++;
  }

  /** Makes frames free that are not. */
  void add(int from, int frames) {
    for (int index = from; index < from + frames; index++) {
      add(index);
    }
  }

  /** Returns the first free frame at or after an index, or the count of frames. */
  private int nextFree(int from) {
    int word = from >>> 6;
    if (word >= words.length) {
      return frameCount;
    }
    long bits = words[word] & (-1L << from);
    while (bits == 0) {
      if (++word == words.length) {
        return frameCount;
      }
      bits = words[word];
    }
    return (word << 6) + Long.numberOfTrailingZeros(bits);
  }

  /** Returns the first frame at or after an index that is not free, or the count of frames. */
  private int nextUsed(int from) {
    int word = from >>> 6;
    long bits = ~words[word] & (-1L << from);
    while (bits == 0) {
      if (++word == words.length) {
        return frameCount;
      }
      bits = ~words[word];
    }
    return (word << 6) + Long.numberOfTrailingZeros(bits);
  }
}
