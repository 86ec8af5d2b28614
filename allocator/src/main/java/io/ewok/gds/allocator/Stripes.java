package io.ewok.gds.allocator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Shards of one node for everybody who has none of his own. A call takes one by a try-lock, chosen
 * by its thread so that a thread mostly meets the same; it never waits for one. There is one stripe
 * until two calls have met, and never more than the next power of two at or above the number of
 * processors.
 *
 * <p>Threads: any.
 */
final class Stripes {
  private static final int STRIPES_MAX =
      Integer.highestOneBit(Runtime.getRuntime().availableProcessors() * 2 - 1);

  /** 2^64 divided by the golden ratio: neighbouring thread numbers get distant stripes. */
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

  private final NodeHeap heap;
  private final AtomicReference<Stripe[]> stripes = new AtomicReference<>();

  Stripes(NodeHeap heap) {
    this.heap = heap;
    this.stripes.set(new Stripe[] {new Stripe(heap)});
  }

  /** A shard, and whether somebody is in it. */
  static final class Stripe {
    private static final VarHandle TAKEN;

    static {
      try {
        TAKEN = MethodHandles.lookup().findVarHandle(Stripe.class, "taken", int.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    /** Guarded by {@link #taken}. */
    final SlabShard shard;

    @SuppressWarnings("unused") // By TAKEN.
    private int taken;

    Stripe(NodeHeap heap) {
      this.shard = new SlabShard(heap);
    }

    /** Acquires what {@link #leave} released: the state of the shard. */
    boolean tryEnter() {
      return (int) TAKEN.getOpaque(this) == 0 && TAKEN.compareAndSet(this, 0, 1);
    }

    void leave() {
      TAKEN.setRelease(this, 0);
    }
  }

  /** Enters a stripe; returns null if there is somebody in each. */
  Stripe tryEnter() {
    Stripe[] current = stripes.getAcquire();
    int first = (int) ((Thread.currentThread().threadId() * SPREAD) >>> Integer.SIZE);
    Stripe stripe = current[first & (current.length - 1)];
    return stripe.tryEnter() ? stripe : tryOthers(current, first);
  }

  private Stripe tryOthers(Stripe[] current, int first) {
    for (int i = 1; i < current.length; i++) {
      Stripe stripe = current[(first + i) & (current.length - 1)];
      if (stripe.tryEnter()) {
        return stripe;
      }
    }
    if (current.length == STRIPES_MAX) {
      return null;
    }
    Stripe[] more = Arrays.copyOf(current, current.length * 2);
    for (int i = current.length; i < more.length; i++) {
      more[i] = new Stripe(heap);
    }
    Stripe mine = more[current.length];
    boolean entered = mine.tryEnter();
    return stripes.compareAndSet(current, more) && entered ? mine : null;
  }

  /** Tells the slabs the generations of the cells in all stripes. For a heap that goes away. */
  void surrenderGenerations() {
    for (Stripe stripe : stripes.getAcquire()) {
      stripe.shard.surrenderGenerations();
    }
  }

  /** Puts the free cells of all stripes that nobody is in at the disposal of everybody. */
  void flush() {
    for (Stripe stripe : stripes.getAcquire()) {
      if (stripe.tryEnter()) {
        try {
          stripe.shard.flush();
        } finally {
          stripe.leave();
        }
      }
    }
  }
}
