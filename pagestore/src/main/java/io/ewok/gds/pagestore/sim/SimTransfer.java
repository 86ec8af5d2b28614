package io.ewok.gds.pagestore.sim;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * A request in flight, on a device that takes time. It takes effect when it ends. Its memory is
 * leased and its file counts it, until then.
 */
final class SimTransfer implements Runnable {
  private final SimInFlight inFlight;
  private final SimFile file;
  private final IoRequest request;
  private final IoRequest.Started started;

  /** What the request says, while nobody can change it. */
  private final IoRequest.Kind kind;

  private final boolean synced;
  private final boolean atomic;
  private final long offset;
  private final Region region;

  /** Where the pieces of its memory are, of one length. */
  private final long[] regionOffsets;

  private final int pieceBytes;
  private final int length;

  /** A sync is of what was done before it began. */
  private final long mark;

  /** Whether a completion is told of its end. */
  private final boolean told;

  /** Claims the request; the caller holds the engine's lock. */
  SimTransfer(SimInFlight inFlight, IoRequest request) {
    this.inFlight = inFlight;
    this.file = (SimFile) request.file();
    this.request = request;
    this.started = request.start(() -> inFlight.move(this));
    this.kind = request.kind();
    this.synced = request.isSynced();
    this.atomic = request.isAtomic();
    this.offset = request.offset();
    this.region = request.region();
    this.regionOffsets = new long[request.pieces()];
    Arrays.setAll(regionOffsets, request::regionOffset);
    this.length = request.length();
    this.pieceBytes = length / regionOffsets.length;
    this.mark = file.node().mark();
    this.told = request.isTold();
    int leased = 0;
    try {
      for (; region != null && leased < regionOffsets.length; leased++) {
        RegionLeases.take(region, regionOffsets[leased], pieceBytes);
      }
    } catch (RuntimeException e) {
      release(leased);
      started.rollBack();
      throw e;
    }
  }

  SimFile file() {
    return file;
  }

  IoRequest request() {
    return request;
  }

  boolean isTold() {
    return told;
  }

  boolean isSync() {
    return kind == IoRequest.Kind.SYNC;
  }

  @Override
  public void run() {
    int bytes;
    try {
      bytes = inFlight.perform(this);
    } catch (IOException e) {
      end(() -> started.fail(e));
      return;
    } catch (RuntimeException | Error e) {
      // Of a hook. Who awaits the request must not wait for ever.
      end(() -> started.fail(new StorageException("a hook failed", file.path(), e)));
      throw e;
    }
    end(() -> started.complete(bytes));
  }

  private void end(Runnable tell) {
    release();
    inFlight.end(this, tell);
  }

  /** Does it. The caller holds the engine's lock. */
  int perform(SimDevice device) throws IOException {
    switch (kind) {
      case READ -> {
        MemorySegment memory = inOnePiece();
        copyPieces(memory, true); // what is not read stays as it is
        int bytes = device.read(file, offset, memory, length);
        copyPieces(memory, false);
        return bytes;
      }
      case WRITE -> {
        MemorySegment memory = inOnePiece();
        copyPieces(memory, true);
        if (atomic) {
          file.node().writeAtomically(offset, length);
        }
        device.write(file, offset, memory, length);
        if (synced) {
          device.syncRange(file, offset, length);
        }
        return length;
      }
      case SYNC -> device.sync(file, mark);
    }
    return 0;
  }

  /** Returns its memory, or as much of another where it is in several pieces. */
  private MemorySegment inOnePiece() {
    return regionOffsets.length == 1 ? piece(0) : MemorySegment.ofArray(new byte[length]);
  }

  private MemorySegment piece(int piece) {
    return region.segment().asSlice(regionOffsets[piece], pieceBytes);
  }

  private void copyPieces(MemorySegment memory, boolean toMemory) {
    for (int i = 0; regionOffsets.length > 1 && i < regionOffsets.length; i++) {
      MemorySegment part = memory.asSlice((long) i * pieceBytes, pieceBytes);
      if (toMemory) {
        part.copyFrom(piece(i));
      } else {
        piece(i).copyFrom(part);
      }
    }
  }

  /** Ends it without effect. */
  void cancel() {
    end(() -> started.fail(new CancellationException("the request was cancelled: " + request)));
  }

  /** As if it had never started. */
  void rollBack() {
    release();
    started.rollBack();
  }

  private void release() {
    release(regionOffsets.length);
  }

  private void release(int leased) {
    for (int i = 0; region != null && i < leased; i++) {
      RegionLeases.giveBack(region, regionOffsets[i], pieceBytes);
    }
  }
}
