package io.ewok.gds.pagestore;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Requests kept for blocking calls from virtual threads, so that steady state allocates none.
 * Holding too few only costs an allocation.
 *
 * <p>Threads: any.
 */
final class RequestCache {
  private static final int SLOTS = 64; // a power of two
  private static final int PROBES = 4;

  private final AtomicReferenceArray<IoRequest> slots = new AtomicReferenceArray<>(SLOTS);

  IoRequest take() {
    int start = (int) Thread.currentThread().threadId();
    for (int probe = 0; probe < PROBES; probe++) {
      int slot = (start + probe) & (SLOTS - 1);
      if (slots.getPlain(slot) != null) {
        IoRequest request = slots.getAndSet(slot, null);
        if (request != null) {
          return request;
        }
      }
    }
    return new IoRequest();
  }

  void giveBack(IoRequest request) {
    int start = (int) Thread.currentThread().threadId();
    for (int probe = 0; probe < PROBES; probe++) {
      int slot = (start + probe) & (SLOTS - 1);
      if (slots.getPlain(slot) == null && slots.compareAndSet(slot, null, request)) {
        return;
      }
    }
  }
}
