package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/**
 * Keeps a value where it lies, found by {@link ReadView#get(MemorySegment, PinnedValue)}, until it
 * is unpinned. Reusable: make one, pin and unpin as often as needed.
 *
 * <p>Ownership: whoever pinned a value unpins it, best soon: its block stays in the pool, or its
 * memtable in memory. Closing the store makes it unusable; closing it afterwards does nothing.
 *
 * <p>Threads: one at a time. It may be handed over.
 *
 * {@snippet :
 * try (PinnedValue value = new PinnedValue()) {
 *   if (store.get(key, value)) {
 *     channel.write(value.segment().asByteBuffer());
 *   }
 * }
 * }
 *
 * <p>Errors: {@link IllegalStateException} where nothing is pinned, or something is already.
 */
public final class PinnedValue implements AutoCloseable {
  private final CallLatch latch = new CallLatch();

  // Guarded by latch.
  /** Has found the value, and keeps it; null if nothing is pinned. */
  private ReadContext context;

  private VersionSet versions;

  // Guarded by the lock of the versions.
  PinnedValue before;
  PinnedValue after;

  /** Pins nothing yet. */
  public PinnedValue() {}

  /**
   * Takes over a context that has found a value.
   *
   * @throws IllegalStateException if something is pinned already, or the store is closed; the
   *     context is then still the caller's
   */
  void pin(ReadContext found, VersionSet of) {
    latch.take();
    try {
      if (context != null) {
        throw new IllegalStateException("a value is pinned already: lengthBytes=" + lengthOf());
      }
      of.pinned(this);
      // From here on a close of the store ends it, after this call.
      found.keep();
      of.contexts().letGo(found); // of the version, which is more than the value needs
      context = found;
      versions = of;
    } finally {
      latch.release();
    }
  }

  /** Whether a value is pinned. */
  public boolean isPinned() {
    latch.take();
    try {
      return context != null;
    } finally {
      latch.release();
    }
  }

  /**
   * Returns the value: read-only, valid until {@link #unpin}. Later its bytes may be those of
   * another record; after the close of the store access throws {@link IllegalStateException}.
   *
   * @throws IllegalStateException if nothing is pinned
   */
  public MemorySegment segment() {
    latch.take();
    try {
      requirePinned();
      return context.value();
    } finally {
      latch.release();
    }
  }

  /**
   * Returns the length of the value in bytes.
   *
   * @throws IllegalStateException if nothing is pinned
   */
  public int lengthBytes() {
    latch.take();
    try {
      requirePinned();
      return lengthOf();
    } finally {
      latch.release();
    }
  }

  private int lengthOf() {
    return context.valueBytes();
  }

  private void requirePinned() {
    if (context == null) {
      throw new IllegalStateException("no value is pinned, or the store is closed");
    }
  }

  /** Lets go of the value, if one is pinned. */
  @Override
  public void close() {
    unpin();
  }

  /** Lets go of the value, if one is pinned; to pin the next one. */
  public void unpin() {
    latch.take();
    try {
      if (context != null) {
        versions.unpinned(this);
        context.letGo();
        versions.contexts().give(context);
        context = null;
      }
    } finally {
      latch.release();
    }
  }
}
