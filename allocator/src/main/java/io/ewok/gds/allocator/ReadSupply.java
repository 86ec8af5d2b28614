package io.ewok.gds.allocator;

import io.ewok.gds.allocator.MemoryRequest.State;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;

/**
 * Where a {@link ReadArena} gets its blocks from and where they go: all that happens once per block
 * and not once per page.
 *
 * <p>Threads: any. The lock guards the {@link ReadShelf} and is short: system calls, the budget and
 * callbacks come when it is free.
 */
final class ReadSupply {
  /*
   * Nobody is forgotten: every change that could serve a request (a block closed, an open block
   * that has become idle, a block given back or not to be had after all, memory granted by the
   * budget, a request given up) is followed by settle, which serves under the lock until nothing
   * more can be. One of these changes is made without the lock, the end of the last use of an open
   * block: endUses writes the state of the block, then reads `waiting`; an appended request is
   * first written to `waiting`, then settle reads the state in takeIdle. All four are volatile, so
   * one of the two sees the other.
   */

  private static final int NO_BLOCK = ReadShelf.NO_BLOCK;

  private final MemoryBudget budget;
  private final ReadMemory memory;
  private final ReadBlocks blocks;
  private final BlockNumbers.Range numbers;
  private final int minBlocks;
  private final ReadShelf shelf;
  private final ReadGrowth growth;
  private final ReentrantLock lock = new ReentrantLock();

  /* Guarded by the lock. */

  private long refusals;
  private boolean closed;
  private boolean memoryClosed;
  private boolean finished;

  /**
   * @param budget a budget for this alone, closed with it
   * @param memory closed with it
   * @param numbers given back with it
   */
  ReadSupply(
      MemoryBudget budget,
      ReadMemory memory,
      ReadBlocks blocks,
      BlockNumbers.Range numbers,
      int minBlocks) {
    this.budget = budget;
    this.memory = memory;
    this.blocks = blocks;
    this.numbers = numbers;
    this.minBlocks = minBlocks;
    this.shelf = new ReadShelf(blocks, numbers.first(), minBlocks);
    this.growth = new ReadGrowth(budget, memory, shelf, lock, () -> settle(false));
  }

  /** Lets the lock go, then tells those whose requests have ended. */
  private void unlock() {
    List<ReadRequest> ended = shelf.takeEnded();
    lock.unlock();
    if (ended.isEmpty()) {
      return;
    }
    List<Runnable> calls = new ArrayList<>();
    for (ReadRequest request : ended) {
      request.announce();
      if (request.hasCallback()) {
        calls.add(request::callBack);
      }
    }
    Callbacks.run(calls);
  }

  private void locked(Runnable change) {
    lock.lock();
    try {
      change.run();
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- allocation

  /** Issues pages. Returns their handle, or 0 if there is no room. */
  long allocate(int size, int pages) {
    long handle = shelf.allocate(size, pages);
    return handle == 0 ? allocateFromAnother(size, pages) : handle;
  }

  private long allocateFromAnother(int size, int pages) {
    int block;
    lock.lock();
    try {
      requireOpen();
      long handle = shelf.allocate(size, pages);
      if (handle != 0) {
        return handle;
      }
      if (shelf.isAwaited()) {
        // Blocks are for those who wait.
        refusals++;
        return 0;
      }
      block = shelf.takeIdle(size);
      if (block == NO_BLOCK) {
        block = shelf.takeEmpty();
      }
      if (block != NO_BLOCK) {
        return shelf.openFor(block, size, pages);
      }
      block = growth.take();
      if (block == NO_BLOCK) {
        return allocateFromIdle(size, pages);
      }
    } finally {
      unlock();
    }
    try {
      return commitAndAllocate(block, size, pages);
    } finally {
      settle(false);
    }
  }

  private long commitAndAllocate(int block, int size, int pages) {
    boolean isCommitted = growth.commit(block);
    lock.lock();
    try {
      // Another thread may have brought a block meanwhile.
      long handle = shelf.allocate(size, pages);
      if (!isCommitted) {
        return handle == 0 ? allocateFromIdle(size, pages) : handle;
      }
      if (handle == 0 && !closed) {
        return shelf.openFor(block, size, pages);
      }
      shelf.putEmpty(block);
      requireOpen();
      return handle;
    } finally {
      unlock();
    }
  }

  /** The last resort: a block that is open for the other size and serves nothing. */
  private long allocateFromIdle(int size, int pages) {
    int block = shelf.isAwaited() || closed ? NO_BLOCK : shelf.takeIdle();
    if (block != NO_BLOCK) {
      return shelf.openFor(block, size, pages);
    }
    refusals++;
    return 0;
  }

  // ---------------------------------------------------------------- uses

  /** Ends uses of a block, and does what follows from that. */
  void endUses(int block, int count) {
    switch (blocks.endUses(block, count)) {
      case IN_USE -> {}
      case IDLE -> {
        if (shelf.waiting() > 0 || shelf.committed() > minBlocks) {
          settle(false);
        }
      }
      case CLOSED -> {
        putEmpty(block);
        settle(false);
      }
    }
  }

  private void putEmpty(int block) {
    lock.lock();
    try {
      shelf.putEmpty(block);
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- requests that wait

  /** Appends a request. It may be granted before this returns. */
  ReadRequest append(int size, int pages, LongConsumer granted, Thread waiter) {
    ReadRequest request;
    lock.lock();
    try {
      requireOpen();
      request = new ReadRequest(this, size, pages, shelf.nextArrival(), granted, waiter);
      request.beginWait();
      shelf.append(request);
    } finally {
      lock.unlock();
    }
    settle(false);
    return request;
  }

  /** Ends a request that waits. Returns false if it had ended before. */
  boolean end(ReadRequest request, State end) {
    lock.lock();
    try {
      if (!shelf.end(request, end)) {
        return false;
      }
    } finally {
      unlock();
    }
    settle(false);
    return true;
  }

  // ---------------------------------------------------------------- settling

  /**
   * Serves who waits, gets blocks for them, and gives back what is too much, until there is nothing
   * to be done.
   *
   * @param thorough whether everything empty above the minimum is too much
   * @return how many blocks this call gave back
   */
  int settle(boolean thorough) {
    int givenBack = 0;
    boolean mayGrow = true;
    while (true) {
      int block = NO_BLOCK;
      boolean grows = false;
      boolean isClosing;
      BudgetRequest needless = null;
      lock.lock();
      try {
        isClosing = closed;
        if (!isClosing) {
          shelf.serve(growth.isRefused());
          if (!shelf.isAwaited()) {
            needless = growth.takeRequest();
            block = shelf.takeExcess(thorough);
          } else if (mayGrow) {
            block = growth.start();
            grows = block != NO_BLOCK;
          }
        }
      } finally {
        unlock();
      }
      if (needless != null) {
        growth.giveUp(needless);
      }
      if (grows) {
        mayGrow = growth.grow(block);
      } else if (block != NO_BLOCK) {
        givenBack += giveBack(block) ? 1 : 0;
      } else if (needless == null) {
        if (isClosing) {
          finishClose();
        }
        return givenBack;
      }
    }
  }

  private boolean giveBack(int block) {
    try {
      // The budget's callbacks come later: one that commits all would wait for this very block.
      Callbacks.runBefore(
          () -> {
            memory.decommit(block);
            locked(() -> shelf.left(block));
          });
      return true;
    } catch (IllegalStateException | UncheckedIOException e) {
      // Registered with a ring, as a rule. Whoever asks for compaction has it tried again.
      locked(() -> shelf.stayed(block, e.getMessage()));
      return false;
    }
  }

  // ---------------------------------------------------------------- the whole

  /** Gives back everything empty above the minimum. Returns how many blocks that were. */
  int compact() {
    locked(() -> shelf.pause(""));
    return settle(true);
  }

  /** Commits every block, and gives none back until {@link #compact}. */
  boolean commitAll() {
    locked(
        () -> {
          requireOpen();
          shelf.pause("all memory is wanted, to be registered");
        });
    while (true) {
      int block;
      lock.lock();
      try {
        requireOpen();
        block = growth.take();
        if (block == NO_BLOCK && !shelf.isShrinking() && !growth.isCommitting()) {
          return true;
        }
      } finally {
        lock.unlock();
      }
      if (block == NO_BLOCK) {
        // Another thread is about to put one back, or to make memory of it.
        Thread.onSpinWait();
      } else if (!commitEmpty(block)) {
        compact();
        return false;
      }
    }
  }

  private boolean commitEmpty(int block) {
    try {
      boolean isCommitted = growth.commit(block);
      if (isCommitted) {
        putEmpty(block);
      }
      return isCommitted;
    } finally {
      settle(false);
    }
  }

  /**
   * Ends all requests, issues nothing more, and unmaps the memory. Closing twice does nothing.
   *
   * @throws IllegalStateException if operations are in flight; then only the unmapping is left
   */
  void close() {
    BudgetRequest needless;
    lock.lock();
    try {
      closed = true;
      shelf.endAll(State.CLOSED);
      shelf.withdraw();
      growth.stop();
      needless = growth.takeRequest();
    } finally {
      unlock();
    }
    if (needless != null) {
      growth.giveUp(needless);
    }
    memory.close();
    locked(() -> memoryClosed = true);
    finishClose();
  }

  /** Does the last part of close, once the memory is unmapped and no block is on its way. */
  private void finishClose() {
    lock.lock();
    try {
      if (!memoryClosed || growth.isBusy() || shelf.isShrinking() || finished) {
        return;
      }
      finished = true;
    } finally {
      lock.unlock();
    }
    boolean isDone = false;
    try {
      blocks.closeAll();
      budget.close();
      BlockNumbers.giveBack(numbers, blocks.highestGeneration());
      isDone = true;
    } finally {
      if (!isDone) {
        // Somebody allocates while it is being closed; it can be closed again.
        locked(() -> finished = false);
      }
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the arena is closed: arena=" + name());
    }
  }

  // ---------------------------------------------------------------- gauges

  String name() {
    return budget.name();
  }

  long committedBytes() {
    return (long) shelf.committed() * ReadBlocks.BLOCK_BYTES;
  }

  long minBytes() {
    return (long) minBlocks * ReadBlocks.BLOCK_BYTES;
  }

  long maxBytes() {
    return (long) blocks.count() * ReadBlocks.BLOCK_BYTES;
  }

  ReadArenaStats stats() {
    ReadBlocks.Census census = blocks.census();
    lock.lock();
    try {
      return new ReadArenaStats(
          minBytes(),
          maxBytes(),
          committedBytes(),
          census.smallPages(),
          census.largePages(),
          census.smallBlocks(),
          census.largeBlocks(),
          shelf.emptyCount(),
          census.blocksKeptByIo(),
          shelf.waiting(),
          refusals,
          shelf.blocksGivenBack(),
          shelf.paused());
    } finally {
      lock.unlock();
    }
  }
}
