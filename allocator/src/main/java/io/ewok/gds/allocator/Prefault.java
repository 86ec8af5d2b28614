package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.allocator.numa.PlacementPolicy.Mode;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Touches memory with several threads, slice by slice, so that no later access takes a page fault.
 * They are platform threads of its own: a touch blocks in the kernel, which on a virtual thread
 * would hold up its carrier, and the caller's thread is not to be bound to CPUs.
 */
final class Prefault {
  static final long SLICE_BYTES = 64L << 20;

  private final MemorySegment memory;
  private final BitSet cpus;
  private final MappingCalls calls;

  /** Where the next slice begins; at or beyond the end when nothing more is to be touched. */
  private final AtomicLong next = new AtomicLong();

  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /**
   * Prepares, and touches nothing.
   *
   * @param cpus where the threads run; empty for anywhere
   */
  Prefault(MemorySegment memory, BitSet cpus, MappingCalls calls) {
    this.memory = memory;
    this.cpus = cpus;
    this.calls = calls;
  }

  /**
   * Touches all pages and returns when that is done. Between slices it notices an interrupt of the
   * caller, and stops.
   *
   * @throws InterruptedIOException if the caller is interrupted; its interrupt status is set
   * @throws IOException if the kernel refuses
   */
  void run(int threads) throws IOException {
    long slices = (memory.byteSize() + SLICE_BYTES - 1) / SLICE_BYTES;
    List<Thread> workers = new ArrayList<>();
    boolean interrupted = false;
    try {
      for (int i = 0; i < Math.min(threads, slices); i++) {
        workers.add(Thread.ofPlatform().daemon().name("gds-prefault-" + i).start(this::touch));
      }
    } finally {
      // Also where a thread could not be started: the memory may be unmapped only when nobody
      // touches it any more.
      interrupted = join(workers);
    }
    Throwable thrown = failure.get();
    if (thrown instanceof IOException e) {
      throw e;
    }
    if (thrown != null) {
      throw new IOException("memory could not be touched", thrown);
    }
    if (interrupted) {
      throw new InterruptedIOException(
          "interrupted while memory was touched: sizeBytes=" + memory.byteSize());
    }
  }

  private boolean join(List<Thread> workers) {
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
          stop();
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return interrupted;
  }

  private void stop() {
    next.set(memory.byteSize());
  }

  private void touch() {
    try {
      if (!cpus.isEmpty()) {
        bind();
      }
      long from;
      while ((from = next.getAndAdd(SLICE_BYTES)) < memory.byteSize()) {
        calls.populate(memory.asSlice(from, Math.min(SLICE_BYTES, memory.byteSize() - from)));
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
      stop();
    }
  }

  /** Moves to the CPUs wanted, of those that this process may use. */
  private void bind() {
    try {
      BitSet allowed = LinuxThreads.affinity();
      allowed.and(cpus);
      if (!allowed.isEmpty()) {
        LinuxThreads.setAffinity(allowed);
      }
    } catch (ErrnoException e) {
      // A sandbox forbids it. It is for speed; where pages lie is verified afterwards.
    }
  }

  /**
   * Returns where threads that touch memory of this policy belong: next to it where it goes to one
   * node; and where it goes to the node of who touches it, next to the caller, for whom they do
   * this. Empty for anywhere.
   */
  static BitSet cpus(PlacementPolicy policy, NumaTopology topology) {
    if (policy.onlyNode().isPresent()) {
      int node = policy.onlyNode().getAsInt();
      return topology.hasNode(node) ? topology.node(node).cpus() : new BitSet();
    }
    boolean local = policy.mode() == Mode.LOCAL || policy.mode() == Mode.DEFAULT;
    return local ? topology.node(topology.currentNode()).cpus() : new BitSet();
  }
}
