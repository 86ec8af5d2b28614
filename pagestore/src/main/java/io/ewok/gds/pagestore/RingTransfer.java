package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.RingOperation;
import io.ewok.gds.reactor.ScatteredMemory;
import java.util.concurrent.CancellationException;

/** A request on its way through a reactor. Kept with its request and reused with it. */
final class RingTransfer extends RingOperation {
  private final IoRequest request;
  private final TransferProgress progress = new TransferProgress();
  private UringEngine engine;

  /** Which has it, or had it last; null before. Read by whoever cancels. */
  private volatile Reactor reactor;

  private LinuxFile file;

  /** How a synced write becomes durable; of no meaning for others. */
  private SyncMethod method;

  /** Whether the device is asked whether it is done. */
  private boolean polled;

  /** Whether a sync is under way: what was asked for, or the second half of a synced write. */
  private boolean syncing;

  RingTransfer(IoRequest request) {
    this.request = request;
  }

  /** Prepares the whole of the claimed request, for a reactor. */
  void start(UringEngine engine, Reactor reactor) {
    this.engine = engine;
    this.reactor = reactor;
    this.file = (LinuxFile) request.file();
    if (request.kind() == IoRequest.Kind.SYNC) {
      syncing = true;
      prepareSync(file.descriptor());
      return;
    }
    syncing = false;
    startTransfer(request.isSynced() ? file.syncMethod() : SyncMethod.AUTO);
  }

  /** Ends it early, if it has started and has not ended. Any thread. */
  void cancel() {
    Reactor has = reactor;
    if (has != null) {
      has.cancel(this);
    }
  }

  private void startTransfer(SyncMethod method) {
    this.method = method;
    progress.start(request.kind() == IoRequest.Kind.WRITE, request.length(), file.alignmentBytes());
    prepareRest();
  }

  private void prepareRest() {
    int done = progress.done();
    int length = request.length() - done;
    if (!request.isAtomic()) {
      length = Math.min(length, TransferProgress.CALL_BYTES_MAX);
    }
    long offset = request.offset() + done;
    long regionOffset = request.regionOffset() + done;
    ScatteredMemory scattered = request.scattered();
    int flags = method == SyncMethod.DSYNC ? LinuxFiles.RWF_DSYNC : 0;
    flags |= request.isAtomic() ? LinuxFiles.RWF_ATOMIC : 0;
    if (request.kind() == IoRequest.Kind.READ) {
      if (scattered == null) {
        prepareRead(file.descriptor(), offset, request.region(), regionOffset, length);
      } else {
        prepareRead(file.descriptor(), offset, scattered, done, TransferProgress.CALL_BYTES_MAX);
      }
    } else if (scattered == null) {
      prepareWrite(file.descriptor(), offset, request.region(), regionOffset, length, flags);
    } else {
      prepareWrite(
          file.descriptor(), offset, scattered, done, TransferProgress.CALL_BYTES_MAX, flags);
    }
    polled = file.polled;
    if (polled) {
      pollDevice();
    }
  }

  @Override
  protected boolean completed(int result) {
    return syncing ? syncCompleted(result) : transferCompleted(result);
  }

  private boolean transferCompleted(int result) {
    if (progress.advance(result)) {
      prepareRest();
      return true;
    }
    int errno = progress.errno();
    if (errno == Errno.ECANCELED) {
      engine.fail(request, cancelled());
      return false;
    }
    if (polled && errno == Errno.EOPNOTSUPP) {
      engine.pollingRefused(file, errno);
      startTransfer(method);
      return true;
    }
    if (method == SyncMethod.DSYNC && errno == Errno.EOPNOTSUPP) {
      file.syncChoice().dsyncRefused();
      startTransfer(SyncMethod.FDATASYNC);
      return true;
    }
    if (errno != 0) {
      boolean writeThrough = method == SyncMethod.DSYNC;
      engine.fail(
          request, file.failedTransfer(request.kind(), request.offset(), errno, writeThrough));
      return false;
    }
    if (method == SyncMethod.FDATASYNC) {
      syncing = true;
      prepareSync(file.descriptor());
      return true;
    }
    endTransfer();
    return false;
  }

  private boolean syncCompleted(int result) {
    if (result == -Errno.ECANCELED) {
      // The kernel had not begun with it: nothing is lost, only not durable yet.
      engine.fail(request, cancelled());
    } else if (result < 0) {
      StorageException failure = StorageException.ofErrno("sync", file.path(), -1, -result);
      file.poison(failure);
      engine.fail(request, failure);
    } else if (request.kind() == IoRequest.Kind.SYNC) {
      engine.counters().countCompleted(IoRequest.Kind.SYNC, 0);
      engine.complete(request, 0);
    } else {
      endTransfer();
    }
    return false;
  }

  private CancellationException cancelled() {
    return new CancellationException("the request was cancelled: " + request);
  }

  private void endTransfer() {
    int bytes = progress.done();
    IoCounters counters = engine.counters();
    counters.countTransfer(request.kind(), bytes, request.region(), request.regionOffset());
    if (request.isSynced()) {
      counters.countCompleted(IoRequest.Kind.SYNC, 0);
    }
    engine.complete(request, bytes);
  }

  @Override
  protected void failed(Throwable cause, boolean memoryInUse) {
    if (memoryInUse) {
      engine.abandon(request, cause);
    } else {
      engine.fail(request, cause);
    }
  }
}
