package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.Monitor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * The engine that runs everywhere: platform threads that make blocking calls. Threads are started
 * as there is work for them; of those that have none the last to become idle is the first to be
 * woken, so that no more run than are needed.
 *
 * <p>Nobody waits for room: the queue is linked through the requests, which are their owners'.
 */
final class PoolEngine extends LinuxEngine {
  private final int threadsMax;

  private final Monitor lock = new Monitor();

  /** All that follows is guarded by {@link #lock}. What is queued, oldest first. */
  private IoRequest first;

  private IoRequest last;

  /** The idle workers, a stack. */
  private Worker idle;

  private final List<Worker> workers = new ArrayList<>();
  private boolean stopping;

  PoolEngine(EngineOptions options, EngineChoice choice) {
    super(options, choice, options.queueDepth(), NodeTraffic.ofMachine(NumaTopology.read()));
    threadsMax = Math.min(options.poolThreads(), options.queueDepth());
    // One is there from the start, so that requests are served even if no more threads can be had.
    workers.add(new Worker(0));
    workers.getFirst().start();
  }

  @Override
  public String description() {
    return "POOL: up to " + threadsMax + " threads" + choice().rejectionClauses();
  }

  /** Takes requests while there are any, then waits to be woken. */
  private final class Worker extends Thread {
    private final Baton work = new Baton();

    /** The next idle one. */
    private Worker below;

    Worker(int number) {
      super("gds-io-pool-" + number);
      setDaemon(true);
    }

    PoolEngine engine() {
      return PoolEngine.this;
    }

    @Override
    public void run() {
      while (true) {
        IoRequest request;
        Worker next;
        lock.lock();
        try {
          request = removeFirst();
          next = request == null ? null : claimWorker();
          if (request == null) {
            if (stopping) {
              return;
            }
            work.reset();
            below = idle;
            idle = this;
          }
        } finally {
          lock.unlock();
        }
        if (request == null) {
          work.await();
          continue;
        }
        if (next != null) {
          next.wake();
        }
        perform(request);
      }
    }

    void wake() {
      work.post();
    }
  }

  /** Under the lock: takes somebody idle for what is queued, or starts somebody. May be null. */
  private Worker claimWorker() {
    if (first == null) {
      return null;
    }
    Worker worker = idle;
    if (worker != null) {
      idle = worker.below;
      worker.below = null;
    } else if (workers.size() < threadsMax) {
      Worker fresh = new Worker(workers.size());
      try {
        fresh.start();
        workers.add(fresh);
      } catch (OutOfMemoryError e) {
        // The system gives us no more threads. Those that there are take what is queued.
      }
    }
    return worker;
  }

  private IoRequest removeFirst() {
    IoRequest request = first;
    if (request != null) {
      first = request.nextQueued;
      request.nextQueued = null;
      if (first == null) {
        last = null;
      }
    }
    return request;
  }

  private void perform(IoRequest request) {
    int bytes;
    try {
      LinuxFile file = (LinuxFile) request.file();
      bytes = file.perform(request);
    } catch (Throwable e) {
      // A worker outlives whatever happens; the waiter is told.
      fail(request, e);
      return;
    }
    complete(request, bytes);
  }

  @Override
  void enqueue(IoRequest request) {
    enqueue(request, request);
  }

  /** Appends a list of requests that are linked already. */
  private void enqueue(IoRequest head, IoRequest tail) {
    Worker worker;
    lock.lock();
    try {
      if (last == null) {
        first = head;
      } else {
        last.nextQueued = head;
      }
      last = tail;
      worker = workerToWake();
    } finally {
      lock.unlock();
    }
    if (worker != null) {
      worker.wake();
    }
  }

  /** One worker is woken for a batch; each wakes the next while something is queued. */
  @Override
  void enqueueAll(IoRequest[] batch, int count) {
    IoRequest head = null;
    IoRequest tail = null;
    for (int i = 0; i < count; i++) {
      IoRequest request = batch[i];
      if (!endsAtOnce(request)) {
        if (head == null) {
          head = request;
        } else {
          tail.nextQueued = request;
        }
        tail = request;
      }
    }
    if (head != null) {
      enqueue(head, tail);
    }
  }

  /** A worker that submits, in a callback, is about to take something itself. */
  private Worker workerToWake() {
    return isOwnThread() ? null : claimWorker();
  }

  @Override
  boolean isOwnThread() {
    return Thread.currentThread() instanceof Worker self && self.engine() == this;
  }

  @Override
  void withdraw(IoRequest request) {
    boolean found = false;
    lock.lock();
    try {
      IoRequest before = null;
      for (IoRequest at = first; at != null && !found; at = at.nextQueued) {
        if (at == request) {
          found = true;
          remove(before, at);
        }
        before = at;
      }
    } finally {
      lock.unlock();
    }
    if (found) {
      fail(request, new CancellationException("the request was cancelled: " + request));
    }
  }

  private void remove(IoRequest before, IoRequest request) {
    if (before == null) {
      removeFirst();
      return;
    }
    before.nextQueued = request.nextQueued;
    request.nextQueued = null;
    if (last == request) {
      last = before;
    }
  }

  @Override
  void registerWithKernel(Region region) {
    // A blocking call maps its memory anew each time.
  }

  @Override
  void unregisterFromKernel(Region region) {
    // As above.
  }

  @Override
  void registerWithKernel(LinuxFile file) {
    // As above.
  }

  @Override
  void unregisterFromKernel(LinuxFile file) {
    // As above.
  }

  @Override
  void stop() {
    List<Worker> ending;
    lock.lock();
    try {
      stopping = true;
      ending = List.copyOf(workers);
      for (Worker worker = idle; worker != null; worker = worker.below) {
        worker.wake();
      }
      idle = null;
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    for (Worker worker : ending) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
