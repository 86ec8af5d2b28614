package io.ewok.gds.pagestore;

import io.ewok.gds.reactor.RingOperation;

/** A request on its way through a reactor. Kept with its request and reused with it. */
final class RingTransfer extends RingOperation {
  private final IoRequest request;
  private final TransferProgress progress = new TransferProgress();
  private UringEngine engine;
  private LinuxFile file;

  /** Whether the bytes of a synced write are written, and on their way to become durable. */
  private boolean syncing;

  RingTransfer(IoRequest request) {
    this.request = request;
  }

  /** Prepares the whole of the claimed request. */
  void start(UringEngine engine) {
    this.engine = engine;
    this.file = (LinuxFile) request.file();
    this.syncing = request.kind() == IoRequest.Kind.SYNC;
    progress.start(request.kind() == IoRequest.Kind.WRITE, request.length(), file.alignmentBytes());
    prepareRest();
  }

  private void prepareRest() {
    int done = progress.done();
    int length = request.length() - done;
    long offset = request.offset() + done;
    long regionOffset = request.regionOffset() + done;
    switch (request.kind()) {
      case READ -> prepareRead(file.descriptor(), offset, request.region(), regionOffset, length);
      case WRITE -> prepareWrite(file.descriptor(), offset, request.region(), regionOffset, length);
      case SYNC -> prepareSync(file.descriptor());
    }
  }

  @Override
  protected boolean completed(int result) {
    if (syncing) {
      if (result < 0) {
        file.poison(StorageException.ofErrno("sync", file.path(), -1, -result));
        engine.fail(request, -result);
      } else {
        end();
      }
      return false;
    }
    if (progress.advance(result)) {
      prepareRest();
      return true;
    }
    if (progress.errno() != 0) {
      engine.fail(request, progress.errno());
      return false;
    }
    if (request.isSynced()) {
      syncing = true;
      prepareSync(file.descriptor());
      return true;
    }
    end();
    return false;
  }

  private void end() {
    if (request.kind() == IoRequest.Kind.SYNC) {
      engine.counters().countCompleted(IoRequest.Kind.SYNC, 0);
      engine.complete(request, 0);
      return;
    }
    engine
        .counters()
        .countTransfer(request.kind(), progress.done(), request.region(), request.regionOffset());
    if (request.isSynced()) {
      engine.counters().countCompleted(IoRequest.Kind.SYNC, 0);
    }
    engine.complete(request, progress.done());
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
