package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * The engine that runs everywhere: platform threads that make blocking calls.
 *
 * <p>The queue holds as many requests as the queue depth; a submitter waits while it is full.
 */
final class PoolEngine extends LinuxEngine {
  private final BlockingQueue<IoRequest> queue;
  private final List<Thread> workers = new ArrayList<>();

  /** Tells one worker to end. */
  private final IoRequest stop = new IoRequest();

  PoolEngine(EngineOptions options, EngineChoice choice) {
    super(choice);
    queue = new ArrayBlockingQueue<>(options.queueDepth());
    for (int i = 0; i < options.poolThreads(); i++) {
      workers.add(Thread.ofPlatform().daemon().name("gds-io-pool-" + i).start(this::work));
    }
  }

  @Override
  public String description() {
    return "POOL: " + workers.size() + " threads" + choice().rejectionClauses();
  }

  private void work() {
    while (true) {
      IoRequest request = takeUninterruptibly();
      if (request == stop) {
        return;
      }
      perform(request);
    }
  }

  private void perform(IoRequest request) {
    int bytes;
    try {
      LinuxFile file = (LinuxFile) request.file();
      bytes =
          request.kind() == IoRequest.Kind.SYNC
              ? file.performSync()
              : file.performTransfer(
                  request.kind(),
                  request.offset(),
                  request.region(),
                  request.regionOffset(),
                  request.length());
    } catch (Throwable e) {
      // A worker outlives whatever happens; the waiter is told.
      fail(request, e);
      return;
    }
    complete(request, bytes);
  }

  private IoRequest takeUninterruptibly() {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException e) {
        // Stale: a worker ends by the stop request alone, after what was queued before it.
      }
    }
  }

  @Override
  void enqueue(IoRequest request) {
    boolean interrupted = false;
    while (true) {
      try {
        queue.put(request);
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  void enqueueAll(IoRequest[] batch, int count) {
    for (int i = 0; i < count; i++) {
      if (!endsAtOnce(batch[i])) {
        enqueue(batch[i]);
      }
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
  void stop() {
    for (int i = 0; i < workers.size(); i++) {
      enqueue(stop);
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
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
