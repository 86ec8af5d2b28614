package io.ewok.gds.allocator;

/**
 * A stack of ready-made handles of free cells of one class and node. The generation in a handle is
 * the one that the cell is issued under next.
 *
 * <p>Threads: confined to whoever has it, a shard or the thread that just took it out of a {@link
 * Depot}.
 */
final class Magazine {
  /** Both full and empty, so that whoever finds it in its place goes the slow way. */
  static final Magazine NONE = new Magazine(0);

  private final long[] handles;
  private int count;

  Magazine(int capacity) {
    this.handles = new long[capacity];
  }

  int count() {
    return count;
  }

  int room() {
    return handles.length - count;
  }

  boolean isEmpty() {
    return count == 0;
  }

  boolean isFull() {
    return count == handles.length;
  }

  /** Returns one of the handles; 0 is the one that was added first. */
  long handle(int index) {
    return handles[index];
  }

  /** Adds a handle if there is room. */
  boolean tryPush(long handle) {
    int next = count;
    long[] stack = handles;
    if (Integer.compareUnsigned(next, stack.length) >= 0) {
      return false;
    }
    stack[next] = handle;
    count = next + 1;
    return true;
  }

  /** Removes the handle that was added last; returns {@link CellHandle#NONE} if there is none. */
  long tryPop() {
    int last = count - 1;
    long[] stack = handles;
    // One comparison is enough for both ends, and for the JIT.
    if (Integer.compareUnsigned(last, stack.length) >= 0) {
      return CellHandle.NONE;
    }
    count = last;
    return stack[last];
  }

  /** Adds a handle; there must be room. */
  void push(long handle) {
    handles[count] = handle;
    count++;
  }

  /** Removes the handle that was added last; there must be one. */
  long pop() {
    int last = count - 1;
    long handle = handles[last];
    count = last;
    return handle;
  }
}
