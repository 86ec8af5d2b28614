package io.ewok.gds.bench;

import io.ewok.gds.pagestore.IoCompletion;
import io.ewok.gds.pagestore.IoRequest;
import java.util.concurrent.CountDownLatch;

/** Keeps requests in flight without a thread that waits: the end of one submits it again. */
final class QueueLoad extends IoLoad {
  private final CountDownLatch left;

  QueueLoad(IoTarget target) {
    super(target);
    left = new CountDownLatch(target.one.depth());
  }

  @Override
  void start() {
    IoRequest[] requests = new IoRequest[target.one.depth()];
    for (int i = 0; i < requests.length; i++) {
      requests[i] = new Slot(i).prepare();
    }
    target.engine.submitAll(requests, requests.length);
  }

  @Override
  void join() throws InterruptedException {
    left.await();
  }

  /** One request and its memory. Passed from one completion to the next. */
  private final class Slot implements IoCompletion {
    private final IoRequest request = new IoRequest();
    private final IoTarget.Offsets offsets = target.offsets();
    private final long regionOffset;
    private final Times times = times();

    Slot(int index) {
      regionOffset = (long) index * target.one.blockBytes();
    }

    IoRequest prepare() {
      int bytes = target.one.blockBytes();
      if (!target.one.pattern().isWrite) {
        request.prepareRead(target.file, offsets.next(), target.region, regionOffset, bytes);
      } else {
        request.prepareWrite(target.file, offsets.next(), target.region, regionOffset, bytes);
        if (target.one.isSynced()) {
          request.synced();
        }
      }
      times.begin();
      return request.onComplete(this);
    }

    @Override
    public void completed(IoRequest same, int bytes, Exception failure) {
      if (failure == null) {
        times.end();
        count(bytes);
      } else {
        fail(failure);
      }
      if (!isStopping()) {
        try {
          target.engine.submit(prepare());
          return;
        } catch (IllegalStateException e) {
          fail(e);
        }
      }
      left.countDown();
    }
  }
}
