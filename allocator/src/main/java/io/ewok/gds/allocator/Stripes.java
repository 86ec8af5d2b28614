package io.ewok.gds.allocator;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Shards of one node for everybody who has none. A call enters one by a try-lock, chosen by its
 * thread so that a thread mostly meets the same; where all are taken it goes past them, to the bin.
 * So nobody waits for anybody. There is one stripe until two calls have met, twice as many each
 * time they do, and at most four times the next power of two at or above the number of processors.
 *
 * <p>Threads: any.
 */
final class Stripes {
  private static final int STRIPES_MAX =
      4 * Integer.highestOneBit(Runtime.getRuntime().availableProcessors() * 2 - 1);

  /** 2^64 divided by the golden ratio: neighbouring thread numbers get distant stripes. */
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

  private final NodeHeap heap;
  private final AtomicReference<Stripe[]> stripes;

  Stripes(NodeHeap heap) {
    this.heap = heap;
    this.stripes = new AtomicReference<>(new Stripe[] {new Stripe(heap)});
  }

  /**
   * @param shard guarded by the lock
   */
  record Stripe(TryLock lock, SlabShard shard) {
    Stripe(NodeHeap heap) {
      this(new TryLock(), new SlabShard(heap));
    }
  }

  /** Enters a stripe; returns null if there is somebody in each. */
  Stripe tryEnter() {
    Stripe[] current = stripes.getAcquire();
    int first = (int) ((Thread.currentThread().threadId() * SPREAD) >>> Integer.SIZE);
    Stripe stripe = current[first & (current.length - 1)];
    return stripe.lock().tryEnter() ? stripe : tryEnterOther(current, first);
  }

  private Stripe tryEnterOther(Stripe[] current, int first) {
    // Two threads that share a stripe would meet in it again and again.
    Stripe fresh = current.length < STRIPES_MAX ? enterNew(current) : null;
    for (int i = 1; fresh == null && i < current.length; i++) {
      Stripe stripe = current[(first + i) & (current.length - 1)];
      if (stripe.lock().tryEnter()) {
        fresh = stripe;
      }
    }
    return fresh;
  }

  /** Doubles the stripes, unless another thread just did, and enters a new one. */
  private Stripe enterNew(Stripe[] current) {
    Stripe[] more = Arrays.copyOf(current, current.length * 2);
    for (int i = current.length; i < more.length; i++) {
      more[i] = new Stripe(heap);
    }
    Stripe mine = more[current.length];
    boolean entered = mine.lock().tryEnter();
    if (entered && stripes.compareAndSet(current, more)) {
      return mine;
    }
    for (int i = current.length; i < more.length; i++) {
      more[i].shard().close();
    }
    return null;
  }

  /** Allocates a cell; returns {@link CellHandle#NONE} if there is no room. */
  long take(int sizeClass) {
    Stripe stripe = tryEnter();
    if (stripe == null) {
      return heap.takeOne(sizeClass);
    }
    try {
      return stripe.shard().take(sizeClass);
    } finally {
      stripe.lock().leave();
    }
  }

  /** Keeps a cell of this node that nobody has, under the handle that it is issued under next. */
  void put(Slab slab, long next) {
    Stripe stripe = tryEnter();
    if (stripe == null) {
      heap.bin(slab.sizeClass).put(slab, CellHandle.cell(next));
      return;
    }
    try {
      stripe.shard().push(slab.sizeClass, next);
    } finally {
      stripe.lock().leave();
    }
  }

  /** Makes the free cells of all stripes that nobody is in available to everybody. */
  void flush() {
    for (Stripe stripe : stripes.getAcquire()) {
      if (stripe.lock().tryEnter()) {
        try {
          stripe.shard().flush();
        } finally {
          stripe.lock().leave();
        }
      }
    }
  }
}
