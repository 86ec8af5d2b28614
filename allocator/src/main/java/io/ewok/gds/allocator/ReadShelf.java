package io.ewok.gds.allocator;

import io.ewok.gds.allocator.MemoryRequest.State;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Which block of a {@link ReadArena} is where, and who waits for one: bookkeeping alone, no system
 * call, nobody called.
 *
 * <p>A block is <em>absent</em> (address space), <em>empty</em> (memory that serves nothing), or
 * serves pages of one size; or it was taken and is in the hands of a thread. For each size one
 * block is <em>current</em>: pages are issued from it.
 *
 * <p>Threads: guarded by the lock of the {@link ReadSupply}, except for the methods of the first
 * section.
 */
final class ReadShelf {
  static final int NO_BLOCK = -1;

  /** Of the blocks in use, one in so many may be kept empty above the minimum. */
  private static final int SPARE_DIVISOR = 8;

  private static final int SIZES = 2;

  private final ReadBlocks blocks;
  private final int firstNumber;
  private final int minBlocks;

  /* Written under the lock, read also without. */
  private final AtomicIntegerArray current = new AtomicIntegerArray(new int[] {-1, -1});
  private volatile int committed;
  private volatile int waiting;

  private final BlockStack absent;
  private final BlockStack empty;

  /** Requests by size, the oldest first. */
  private final List<SequencedSet<ReadRequest>> queues =
      List.of(new LinkedHashSet<>(), new LinkedHashSet<>());

  private long arrivals;
  private final List<ReadRequest> ended = new ArrayList<>();

  /** Blocks among the committed ones that are being given back. */
  private int leaving;

  /** Why nothing is given back, or empty. */
  private String paused = "";

  private long blocksGivenBack;

  ReadShelf(ReadBlocks blocks, int firstNumber, int minBlocks) {
    this.blocks = blocks;
    this.firstNumber = firstNumber;
    this.minBlocks = minBlocks;
    this.absent = new BlockStack(blocks.count());
    this.empty = new BlockStack(blocks.count());
    for (int block = blocks.count() - 1; block >= 0; block--) {
      absent.push(block);
    }
  }

  // ---------------------------------------------------------------- without the lock

  /** Issues pages from the current block. Returns their handle, or 0. */
  long allocate(int size, int pages) {
    return allocateFrom(current.get(size), size, pages);
  }

  private long allocateFrom(int block, int size, int pages) {
    return block == NO_BLOCK
        ? 0
        : ReadHandle.of(blocks.allocate(block, size, pages), firstNumber + block, pages);
  }

  /** Returns how many requests wait. */
  int waiting() {
    return waiting;
  }

  /** Returns how many blocks are not absent. */
  int committed() {
    return committed;
  }

  // ---------------------------------------------------------------- blocks

  /** Takes an absent block, to make memory of it, or returns -1. */
  int takeAbsent() {
    return count(absent.pop());
  }

  void putAbsent(int block) {
    absent.push(block);
    count(block);
  }

  private int count(int block) {
    committed = blocks.count() - absent.count();
    return block;
  }

  int takeEmpty() {
    return empty.pop();
  }

  void putEmpty(int block) {
    empty.push(block);
  }

  int emptyCount() {
    return empty.count();
  }

  /** Takes a block that is open and serves nothing, or returns -1. */
  int takeIdle() {
    int block = takeIdle(0);
    return block == NO_BLOCK ? takeIdle(1) : block;
  }

  /** Takes the current block of a size if it serves nothing, or returns -1. */
  int takeIdle(int size) {
    int block = current.get(size);
    if (block == NO_BLOCK || !blocks.closeIfIdle(block)) {
      return NO_BLOCK;
    }
    current.set(size, NO_BLOCK);
    return block;
  }

  /** Opens a taken block, issues the first pages of it, and then what requests want of it. */
  long openFor(int block, int size, int pages) {
    blocks.open(block, size);
    long handle = allocateFrom(block, size, pages);
    publish(block, size);
    return handle;
  }

  /** Makes an open block the current one. Requests for its size come before everybody else. */
  private void publish(int block, int size) {
    serveFrom(block, size);
    int before = current.getAndSet(size, block);
    if (before != NO_BLOCK && blocks.seal(before)) {
      empty.push(before);
    }
  }

  /** Issues nothing more. */
  void withdraw() {
    for (int size = 0; size < SIZES; size++) {
      current.set(size, NO_BLOCK);
    }
  }

  // ---------------------------------------------------------------- requests

  /** Returns the position among all requests of the one that is appended next. */
  long nextArrival() {
    return arrivals++;
  }

  void append(ReadRequest request) {
    queues.get(request.size()).add(request);
    countWaiting();
  }

  boolean isAwaited() {
    return waiting > 0;
  }

  /** Ends a request that waits. Returns false if it had ended before. */
  boolean end(ReadRequest request, State end) {
    if (!request.isWaiting()) {
      return false;
    }
    request.moveTo(end);
    remove(request);
    return true;
  }

  void endAll(State end) {
    for (SequencedSet<ReadRequest> queue : queues) {
      while (!queue.isEmpty()) {
        end(queue.getFirst(), end);
      }
    }
  }

  private void remove(ReadRequest request) {
    queues.get(request.size()).remove(request);
    countWaiting();
    ended.add(request);
  }

  private void countWaiting() {
    waiting = queues.get(0).size() + queues.get(1).size();
  }

  /**
   * Grants requests in order, as far as current and empty blocks go. A block goes to the size of
   * the oldest request.
   *
   * @param withIdle whether idle blocks go too, for want of more memory
   */
  void serve(boolean withIdle) {
    while (isAwaited()) {
      for (int size = 0; size < SIZES; size++) {
        serveFrom(current.get(size), size);
      }
      if (!isAwaited()) {
        return;
      }
      int block = takeEmpty();
      if (block == NO_BLOCK && (withIdle || absent.count() == 0)) {
        block = takeIdle();
      }
      if (block == NO_BLOCK) {
        return;
      }
      int size = sizeOfOldest();
      blocks.open(block, size);
      publish(block, size);
    }
  }

  /** Grants requests for a size, in order, as far as a block goes. */
  private void serveFrom(int block, int size) {
    SequencedSet<ReadRequest> queue = queues.get(size);
    while (!queue.isEmpty()) {
      ReadRequest request = queue.getFirst();
      long handle = allocateFrom(block, size, request.pages());
      if (handle == 0) {
        return;
      }
      request.grant(handle);
      remove(request);
    }
  }

  private int sizeOfOldest() {
    if (queues.get(0).isEmpty()) {
      return 1;
    }
    if (queues.get(1).isEmpty()) {
      return 0;
    }
    return queues.get(0).getFirst().arrival() < queues.get(1).getFirst().arrival() ? 0 : 1;
  }

  /** Returns the requests that have ended since the last time. */
  List<ReadRequest> takeEnded() {
    if (ended.isEmpty()) {
      return List.of();
    }
    List<ReadRequest> taken = List.copyOf(ended);
    ended.clear();
    return taken;
  }

  // ---------------------------------------------------------------- compaction

  /**
   * Takes a block to be given back, or returns -1 if none is too much. {@link #left} or {@link
   * #stayed} follows.
   *
   * @param thorough whether everything empty above the minimum is too much
   */
  int takeExcess(boolean thorough) {
    int kept = committed - leaving;
    if (kept <= minBlocks || !paused.isEmpty()) {
      return NO_BLOCK;
    }
    int used = kept - empty.count();
    for (int size = 0; size < SIZES; size++) {
      int block = current.get(size);
      if (block != NO_BLOCK && blocks.isIdle(block)) {
        used--;
      }
    }
    int spare = thorough ? 0 : used / SPARE_DIVISOR;
    if (kept <= used + spare) {
      return NO_BLOCK;
    }
    int block = takeEmpty();
    if (block == NO_BLOCK) {
      block = takeIdle();
    }
    if (block != NO_BLOCK) {
      leaving++;
    }
    return block;
  }

  /** A block that was excess is absent now. */
  void left(int block) {
    leaving--;
    blocksGivenBack++;
    putAbsent(block);
  }

  /** A block that was excess could not be given back. */
  void stayed(int block, String why) {
    leaving--;
    paused = why;
    putEmpty(block);
  }

  /** Returns whether blocks are on their way out. */
  boolean isShrinking() {
    return leaving > 0;
  }

  /** Gives nothing back for a reason; goes on if that is empty. */
  void pause(String why) {
    paused = why;
  }

  String paused() {
    return paused;
  }

  long blocksGivenBack() {
    return blocksGivenBack;
  }
}
