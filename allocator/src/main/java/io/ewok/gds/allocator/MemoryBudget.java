package io.ewok.gds.allocator;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.SequencedSet;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A limit on memory, and the count of what is used under it. Budgets form a tree: what is reserved
 * in a child is used in each of its ancestors too, and fits only if it fits in all of them.
 * Children may promise more than their parent has; the parent's limit holds.
 *
 * <p>A budget counts, it does not allocate. Whoever reserves gives back the same number of bytes
 * later.
 *
 * <p><b>Set aside.</b> Bytes may be set aside for a child: its parent counts them as used from the
 * start, so up to that many the child is never refused, whatever the others do.
 *
 * <p><b>Full.</b> There are three ways to ask, by what happens when there is no room:
 *
 * <table>
 * <caption>Ways to ask for memory</caption>
 * <tr><th>method</th><th>without room</th></tr>
 * <tr><td>{@link #tryReserve(long)}, {@link #reserve}</td><td>refused at once</td></tr>
 * <tr><td>{@link #whenAvailable}</td><td>a callback later; nobody waits, right for event
 * loops</td></tr>
 * <tr><td>{@link #tryReserve(long, long)}</td><td>the thread waits, with a deadline</td></tr>
 * </table>
 *
 * <p>Requests that wait are granted in the order in which they came, as soon as they fit. What the
 * first needs is kept for it: a later request, waiting or not, gets nothing of the full budget
 * before it, though smaller, unless it stays within what is set aside for it.
 *
 * <p><b>Callbacks</b> run on the thread that gave the cause. A slab allocator or read arena whose
 * call set them off has done its work by then and holds no lock: they may use, trim or close it. A
 * bump arena refuses that. A {@link SlabShard} must not be used by what its own call set off,
 * because it is confined to one user at a time.
 *
 * <p>Threads: any. A reservation is exact, never over the limit, even for a moment. Each call takes
 * a short lock that the tree shares; where that is too much, take lumps with a {@link
 * BudgetCredit}. Gauges are read without it.
 *
 * <pre>{@code
 * MemoryBudget store = MemoryBudget.root("store", 1L << 30);
 * MemoryBudget log = store.child("log", 256 << 20, 64 << 20); // 64 MiB whatever happens
 * if (log.tryReserve(1 << 20)) {
 *   ...
 *   log.release(1 << 20);
 * }
 * }</pre>
 *
 * <p>Errors: {@link BudgetExceededException} names the budget of the tree that was full; {@link
 * IllegalStateException} after {@link #close}.
 */
public final class MemoryBudget {
  private final String name;

  /** Null for a root. */
  private final MemoryBudget parent;

  private final BudgetTree tree;
  private final long setAsideBytes;
  private final List<MemoryBudget> children = new CopyOnWriteArrayList<>();

  /* Guarded by the lock of the tree; volatile for the gauges. */
  private volatile long limitBytes;
  private volatile long usedBytes;
  private volatile long peakBytes;

  /* Guarded by the lock of the tree. */
  private long directBytes;
  private long setAsideForChildrenBytes;
  private long barredInRound = -1;
  private boolean closed;
  private final List<BudgetWatermark> watermarks = new ArrayList<>();
  private final SequencedSet<BudgetRequest> requests = new LinkedHashSet<>();

  private MemoryBudget(
      String name, MemoryBudget parent, BudgetTree tree, long limitBytes, long setAsideBytes) {
    this.name = Objects.requireNonNull(name, "name");
    this.parent = parent;
    this.tree = tree;
    this.setAsideBytes = requireNotNegative(setAsideBytes);
    this.limitBytes = requireLimit(limitBytes);
  }

  /**
   * Returns a budget without a parent.
   *
   * @param limitBytes at most this many bytes are reserved at any time
   */
  public static MemoryBudget root(String name, long limitBytes) {
    return new MemoryBudget(name, null, new BudgetTree(), limitBytes, 0);
  }

  /**
   * Returns a new budget under this one, with nothing set aside. It stays in {@link #children}
   * until it is closed: create one per component, not per object.
   */
  public MemoryBudget child(String name, long limitBytes) {
    return child(name, limitBytes, 0);
  }

  /**
   * Returns a new budget under this one with bytes that are its own from the start.
   *
   * @param limitBytes at most this many bytes are reserved in it at any time
   * @param setAsideBytes up to this many bytes it is never refused; at most {@code limitBytes}
   * @throws BudgetExceededException if they do not fit here or in an ancestor; there is no child
   *     then
   */
  public MemoryBudget child(String name, long limitBytes, long setAsideBytes) {
    MemoryBudget child = new MemoryBudget(name, this, tree, limitBytes, setAsideBytes);
    tree.lock();
    try {
      requireOpen();
      requireRoom(setAsideBytes);
      setAsideForChildrenBytes += setAsideBytes;
      children.add(child);
      addUsed(setAsideBytes);
      return child;
    } finally {
      tree.unlock();
    }
  }

  /**
   * Reserves memory if it fits here and in every ancestor.
   *
   * @return false, with nothing reserved, if it does not fit or is kept for who came earlier
   */
  public boolean tryReserve(long bytes) {
    requireNotNegative(bytes);
    tree.lock();
    try {
      requireOpen();
      if (firstFull(bytes, false) != null) {
        return false;
      }
      take(bytes);
      return true;
    } finally {
      tree.unlock();
    }
  }

  /**
   * Reserves memory.
   *
   * @throws BudgetExceededException if it does not fit; the message names the budget that is full
   */
  public void reserve(long bytes) {
    requireNotNegative(bytes);
    tree.lock();
    try {
      requireOpen();
      requireRoom(bytes);
      take(bytes);
    } finally {
      tree.unlock();
    }
  }

  /**
   * Reserves memory, and waits for it if need be. Any thread, platform or virtual; not for an event
   * loop, whose other work may be what gives memory back.
   *
   * @param timeoutNanos longest wait in nanoseconds; not positive: as {@link #tryReserve(long)}
   * @return false, with nothing reserved, if the time was over first
   * @throws BudgetExceededException if it could never fit
   * @throws InterruptedException if interrupted before or while it waits; nothing is reserved
   */
  public boolean tryReserve(long bytes, long timeoutNanos) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted before waiting for memory");
    }
    if (timeoutNanos <= 0) {
      return tryReserve(bytes);
    }
    BudgetRequest request = append(bytes, null, Thread.currentThread(), false);
    request.await(timeoutNanos);
    return request.isGranted();
  }

  /**
   * Reserves memory as soon as it fits and all who came earlier have theirs, then calls back, once.
   *
   * @param granted is called with the memory reserved, under no lock: before this method returns if
   *     there is room now, else on the thread that made room; on a thread that is in a callback,
   *     when that has returned. It should be short and not wait. If it throws, that is logged, and
   *     the memory stays reserved.
   * @return the request, which can be canceled
   * @throws BudgetExceededException if it could never fit
   */
  public BudgetRequest whenAvailable(long bytes, Runnable granted) {
    return append(bytes, Objects.requireNonNull(granted, "granted"), null, false);
  }

  /**
   * As {@link #whenAvailable}, but if it could never fit it waits, and holds up nobody, until a
   * limit is raised so far that it could.
   */
  BudgetRequest whenAvailableAtAnyLimit(long bytes, Runnable granted) {
    return append(bytes, granted, null, true);
  }

  private BudgetRequest append(long bytes, Runnable granted, Thread waiter, boolean atAnyLimit) {
    requireNotNegative(bytes);
    tree.lock();
    try {
      requireOpen();
      MemoryBudget tooSmall = atAnyLimit ? null : firstTooSmall(bytes);
      if (tooSmall != null) {
        throw new BudgetExceededException("more than the memory budget ever has", tooSmall, bytes);
      }
      return tree.append(this, bytes, granted, waiter);
    } finally {
      tree.unlock();
    }
  }

  /**
   * Gives back what was reserved.
   *
   * @throws IllegalArgumentException if more is given back than was reserved
   */
  public void release(long bytes) {
    requireNotNegative(bytes);
    tree.lock();
    try {
      if (bytes > directBytes) {
        throw new IllegalArgumentException(
            "more released than reserved: budget=%s reservedBytes=%d bytes=%d"
                .formatted(name, directBytes, bytes));
      }
      directBytes -= bytes;
      addUsed(-bytes);
      tree.grantInOrder();
    } finally {
      tree.unlock();
    }
  }

  /**
   * Changes the limit. Below the present use nothing is taken away, but nothing more is reserved
   * until the use is under it. A request that waits and that the new limit makes impossible goes on
   * waiting, but holds up nobody.
   *
   * @param limitBytes the new limit; at least what is set aside for this budget
   */
  public void setLimitBytes(long limitBytes) {
    requireLimit(limitBytes);
    tree.lock();
    try {
      this.limitBytes = limitBytes;
      tree.grantInOrder();
    } finally {
      tree.unlock();
    }
  }

  /**
   * Calls back when the use of this budget crosses a mark: {@code above} when it reaches {@code
   * highBytes}, at once if it is there already; then {@code below} when it has fallen to {@code
   * lowBytes}; and so on in turn. In between nothing is called.
   *
   * @param lowBytes at least 0, less than {@code highBytes}
   */
  public BudgetWatermark watch(long lowBytes, long highBytes, Runnable above, Runnable below) {
    Objects.requireNonNull(above, "above");
    Objects.requireNonNull(below, "below");
    if (lowBytes < 0 || lowBytes >= highBytes) {
      throw new IllegalArgumentException(
          "the low mark is below the high one: lowBytes=%d highBytes=%d"
              .formatted(lowBytes, highBytes));
    }
    BudgetWatermark watermark = new BudgetWatermark(this, lowBytes, highBytes, above, below);
    tree.lock();
    try {
      watermarks.add(watermark);
      watermark.update(usedBytes);
    } finally {
      tree.unlock();
    }
    return watermark;
  }

  void unwatch(BudgetWatermark watermark) {
    tree.lock();
    try {
      watermarks.remove(watermark);
    } finally {
      tree.unlock();
    }
  }

  /**
   * Takes this budget out of the tree and gives its parent back what was set aside. Closing twice
   * does nothing.
   *
   * @throws IllegalStateException if anything is reserved, waits, or is open under it
   */
  public void close() {
    tree.lock();
    try {
      if (closed) {
        return;
      }
      if (directBytes > 0 || !children.isEmpty() || !requests.isEmpty()) {
        throw new IllegalStateException(
            "the budget is in use: budget=%s reservedBytes=%d children=%d waiting=%d"
                .formatted(name, directBytes, children.size(), requests.size()));
      }
      closed = true;
      if (parent != null) {
        parent.children.remove(this);
        parent.setAsideForChildrenBytes -= setAsideBytes;
        parent.addUsed(-setAsideBytes);
        tree.grantInOrder();
      }
    } finally {
      tree.unlock();
    }
  }

  /* Called under the lock of the tree, down to the next comment. */

  /**
   * Returns the budget, from here to the root, that has no room for this, or null if all have.
   *
   * @param waits whether it is the turn of a request that may wait, and so gives way to earlier
   *     ones even within what is set aside
   */
  MemoryBudget firstFull(long bytes, boolean waits) {
    long need = bytes;
    for (MemoryBudget budget = this; budget != null && need > 0; budget = budget.parent) {
      if (need > budget.limitBytes - budget.usedBytes || budget.isKept(need, waits)) {
        return budget;
      }
      need = budget.charge(budget.usedBytes + need) - budget.charge(budget.usedBytes);
    }
    return null;
  }

  private boolean isKept(long need, boolean waits) {
    return tree.isBarred(this) && (waits || usedBytes + need > setAsideBytes);
  }

  /** What the parent counts when this budget uses so much. */
  private long charge(long used) {
    return Math.max(used, setAsideBytes);
  }

  /**
   * Returns the budget, from here to the root, in which this would not fit even if nobody had more
   * than what is set aside, or null.
   */
  MemoryBudget firstTooSmall(long bytes) {
    long need = bytes;
    for (MemoryBudget budget = this; budget != null && need > 0; budget = budget.parent) {
      if (need > budget.limitBytes - budget.setAsideForChildrenBytes) {
        return budget;
      }
      // What the parent would have to add to what it counts for this budget anyway.
      need = budget.charge(budget.setAsideForChildrenBytes + need) - budget.setAsideBytes;
    }
    return null;
  }

  /** Reserves what {@link #firstFull} found to fit. */
  void take(long bytes) {
    directBytes += bytes;
    addUsed(bytes);
  }

  private void addUsed(long bytes) {
    long change = bytes;
    for (MemoryBudget budget = this; budget != null && change != 0; budget = budget.parent) {
      long before = budget.usedBytes;
      long after = before + change;
      budget.usedBytes = after;
      budget.peakBytes = Math.max(budget.peakBytes, after);
      for (BudgetWatermark watermark : budget.watermarks) {
        watermark.update(after);
      }
      change = budget.charge(after) - budget.charge(before);
      assert budget.isConsistent() : budget;
    }
  }

  private boolean isConsistent() {
    long sum = directBytes;
    for (MemoryBudget child : children) {
      sum += child.charge(child.usedBytes);
    }
    return sum == usedBytes;
  }

  /** Keeps the budgets from here to the one that is full for a request that waits. */
  void bar(MemoryBudget full, long round) {
    for (MemoryBudget budget = this; budget != full; budget = budget.parent) {
      budget.barredInRound = round;
    }
    full.barredInRound = round;
  }

  long barredInRound() {
    return barredInRound;
  }

  SequencedSet<BudgetRequest> requests() {
    return requests;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the budget is closed: budget=" + name);
    }
  }

  private void requireRoom(long bytes) {
    MemoryBudget full = firstFull(bytes, false);
    if (full != null) {
      String why =
          bytes <= full.limitBytes - full.usedBytes
              ? "memory budget is kept for earlier requests"
              : "memory budget exceeded";
      throw new BudgetExceededException(why, full, bytes);
    }
  }

  /* Any thread, without the lock. */

  BudgetTree tree() {
    return tree;
  }

  private static long requireNotNegative(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("a number of bytes is not negative: bytes=" + bytes);
    }
    return bytes;
  }

  private long requireLimit(long limitBytes) {
    if (limitBytes < setAsideBytes) {
      throw new IllegalArgumentException(
          "a limit is not below what is set aside: budget=%s setAsideBytes=%d limitBytes=%d"
              .formatted(name, setAsideBytes, limitBytes));
    }
    return limitBytes;
  }

  /** Returns the name given at creation, for people. */
  public String name() {
    return name;
  }

  /** Returns the limit in bytes. */
  public long limitBytes() {
    return limitBytes;
  }

  /** Returns the bytes that are this budget's own, used or not. */
  public long setAsideBytes() {
    return setAsideBytes;
  }

  /** Returns the bytes in use: reserved here, and in each child reserved or set aside. */
  public long usedBytes() {
    return usedBytes;
  }

  /** Returns the most bytes that were in use at once. */
  public long peakBytes() {
    return peakBytes;
  }

  /** Returns how many requests wait in this budget, those of its children not included. */
  public int waitingCount() {
    tree.lock();
    try {
      return requests.size();
    } finally {
      tree.unlock();
    }
  }

  /** Returns the budgets directly under this one, oldest first. */
  public List<MemoryBudget> children() {
    return List.copyOf(children);
  }

  /** Returns name, use and limit in one line. */
  @Override
  public String toString() {
    return "%s: %d of %d bytes used, peak %d".formatted(name, usedBytes, limitBytes, peakBytes);
  }
}
