package io.ewok.gds.allocator;

/** Numbers of blocks, the last in first out. Not for several threads at once. */
final class BlockStack {
  private final int[] blocks;
  private int count;

  BlockStack(int capacity) {
    blocks = new int[capacity];
  }

  void push(int block) {
    blocks[count++] = block;
  }

  /** Returns a block, or -1 if there is none. */
  int pop() {
    return count == 0 ? -1 : blocks[--count];
  }

  int count() {
    return count;
  }
}
