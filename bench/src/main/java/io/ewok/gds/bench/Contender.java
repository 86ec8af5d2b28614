package io.ewok.gds.bench;

/**
 * An allocator under test, and a table of slots, each empty or holding one of its blocks. What a
 * block is called, a number or an object, stays inside, so that one loop serves all contenders.
 *
 * <p>Ownership: the creator frees all slots, then closes the contender.
 *
 * <p>Threads: any, for the methods here; the {@link Slots} are confined.
 */
interface Contender extends AutoCloseable {
  /** Returns what one thread allocates and frees with, confined to it. */
  Slots slots();

  /** Returns the bytes that live blocks take, what is lost to rounding included. */
  long usedBytes();

  /** Returns the bytes that the allocator holds for blocks, or -1 if it does not say. */
  long committedBytes();

  /** Returns the bytes of its mappings that are in memory, or -1 if they cannot be told apart. */
  long residentBytes();

  @Override
  void close();

  /**
   * One thread's access to the slots. A slot that one thread filled may be freed by another to
   * which it was handed over.
   */
  interface Slots {
    /** Fills an empty slot with a block and writes to the block's first eight bytes. */
    void allocate(int slot, int bytes);

    /** Writes all bytes that the block of a slot was allocated with. */
    void write(int slot, int bytes);

    /** Frees the block of a slot. */
    void free(int slot);

    /** Fills neighbouring slots, by one call if the allocator has such a call. */
    default void allocateAll(int from, int count, int bytes) {
      for (int slot = from; slot < from + count; slot++) {
        allocate(slot, bytes);
      }
    }

    /** Frees neighbouring slots, by one call if the allocator has such a call. */
    default void freeAll(int from, int count) {
      for (int slot = from; slot < from + count; slot++) {
        free(slot);
      }
    }

    /** Ends the thread's use of the contender: gives back what is kept for it. */
    default void leave() {}
  }
}
