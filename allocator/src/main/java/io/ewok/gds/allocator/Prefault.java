package io.ewok.gds.allocator;

import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Touches memory with several threads, slice by slice, so that no later access takes a page fault.
 * The threads are platform threads of its own: a touch blocks in the kernel, which on a virtual
 * thread would hold up its carrier.
 */
final class Prefault {
  static final long SLICE_BYTES = 64L << 20;

  private final MemorySegment memory;

  /** Where the next slice begins; beyond the end when nothing more is to be touched. */
  private final AtomicLong next = new AtomicLong();

  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  private Prefault(MemorySegment memory) {
    this.memory = memory;
  }

  /**
   * Touches all pages and returns when that is done. Between slices it notices an interrupt of the
   * caller, and stops.
   *
   * @throws InterruptedIOException if the caller is interrupted; its interrupt status is set
   * @throws IOException if the kernel refuses
   */
  static void run(MemorySegment memory, int threads) throws IOException {
    new Prefault(memory).run(threads);
  }

  private void run(int threads) throws IOException {
    long slices = (memory.byteSize() + SLICE_BYTES - 1) / SLICE_BYTES;
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < Math.min(threads, slices); i++) {
      workers.add(Thread.ofPlatform().daemon().name("gds-prefault-" + i).start(this::touch));
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          // The memory may be unmapped only when nobody touches it any more.
          interrupted = true;
          next.set(memory.byteSize());
        }
      }
    }
    Throwable thrown = failure.get();
    if (thrown != null) {
      throw thrown instanceof IOException io ? io : new IOException(thrown);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(
          "interrupted while memory was touched: sizeBytes=" + memory.byteSize());
    }
  }

  private void touch() {
    try {
      long from;
      while ((from = next.getAndAdd(SLICE_BYTES)) < memory.byteSize()) {
        LinuxMemory.populate(memory.asSlice(from, Math.min(SLICE_BYTES, memory.byteSize() - from)));
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
      next.set(memory.byteSize());
    }
  }
}
