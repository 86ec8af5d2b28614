package io.ewok.gds.lsm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Contexts for gets: as many as were ever needed at once. Each keeps the version that it looked at
 * last, so that a get in a store that did not change meanwhile costs no counting of users.
 *
 * <p>Threads: any, without a lock as long as few read at once.
 */
final class ReadContexts {
  /*
   * A version must not be kept by contexts that nobody uses, or its memory would stay in use. So who replaces it first
   * publishes the next one and then takes its turn through the contexts that are idle; who puts a context aside first
   * does that and then looks whether its version is still the current one. Both are volatile: one of them sees the
   * other.
   */
  private static final int PLACES_MIN = 16;
  private static final int PLACES_PER_CPU = 4;

  private final VersionSet versions;

  /** Idle contexts, each at the place of a thread that used it. */
  private final AtomicReferenceArray<ReadContext> places;

  // Guarded by this.
  /** Idle contexts that found their place taken. */
  private final Deque<ReadContext> others = new ArrayDeque<>();

  private final List<ReadContext> all = new ArrayList<>();

  ReadContexts(VersionSet versions) {
    this.versions = versions;
    int wanted = Math.max(PLACES_MIN, PLACES_PER_CPU * Runtime.getRuntime().availableProcessors());
    places = new AtomicReferenceArray<>(Integer.highestOneBit(2 * wanted - 1));
  }

  /**
   * Takes a context that has the current version.
   *
   * @throws IllegalStateException if the store is closed
   */
  ReadContext take() {
    int home = home();
    ReadContext context = places.getPlain(home) == null ? null : places.getAndSet(home, null);
    if (context == null) {
      context = takeElsewhere(home);
    }
    Version version = context.version;
    if (version == null || version != versions.currentOrNull()) {
      renew(context);
    }
    return context;
  }

  private void renew(ReadContext context) {
    letGo(context);
    boolean retained = false;
    try {
      context.version = versions.retain();
      retained = true;
    } finally {
      if (!retained) {
        give(context);
      }
    }
  }

  private ReadContext takeElsewhere(int home) {
    for (int i = 1; i < places.length(); i++) {
      int place = (home + i) & (places.length() - 1);
      if (places.getPlain(place) != null) {
        ReadContext context = places.getAndSet(place, null);
        if (context != null) {
          return context;
        }
      }
    }
    synchronized (this) {
      ReadContext context = others.pollFirst();
      if (context == null) {
        context = new ReadContext(versions.recordCacheOrNull());
        all.add(context);
      }
      return context;
    }
  }

  /** Puts a context aside, with nothing fixed. */
  void give(ReadContext context) {
    Version version = context.version;
    int home = home();
    if (!places.compareAndSet(home, null, context)) {
      letGo(context);
      synchronized (this) {
        others.addFirst(context);
      }
    } else if (version != null
        && version != versions.currentOrNull()
        && places.compareAndSet(home, context, null)) {
      letGo(context);
      give(context);
    }
  }

  /** Makes idle contexts let go of versions that were replaced. After one was. */
  void sweep() {
    for (int i = 0; i < places.length(); i++) {
      ReadContext context = places.getAndSet(i, null);
      if (context != null) {
        if (context.version != versions.currentOrNull()) {
          letGo(context);
        }
        give(context);
      }
    }
  }

  /** Makes a context that is in use let go of its version. */
  void letGo(ReadContext context) {
    Version version = context.version;
    if (version != null) {
      context.leaveVersion();
      versions.release(version);
    }
  }

  private static int hash(long id) {
    return (int) ((id * 0x9E37_79B9_7F4A_7C15L) >>> Integer.SIZE);
  }

  private int home() {
    return hash(Thread.currentThread().threadId()) & (places.length() - 1);
  }

  /** Whether a thread is in a user's callback: it must not wait for that callback to end. */
  synchronized boolean isInConsumer(Thread thread) {
    return all.stream().anyMatch(context -> context.consumerThread == thread);
  }
}
