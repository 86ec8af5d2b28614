package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.ScatteredMemory;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * One read, write or sync that runs while its caller does something else. Reusable: prepare,
 * submit, await, and again.
 *
 * <p>Ownership: the caller owns the request and has one operation in flight with it. The region is
 * leased from submit to completion, so it cannot be closed under the kernel.
 *
 * <p>Threads: one at a time prepares, submits and awaits; {@link #isDone} is any thread's.
 *
 * <pre>{@code
 * request.prepareRead(file, offset, region, regionOffset, length);
 * engine.submit(request);
 * int count = request.await();
 * }</pre>
 *
 * <p>Instead of awaiting it, one can be told by {@link #onComplete}.
 *
 * <p>Errors: {@link IllegalArgumentException} from prepare for bad arguments, {@link
 * IllegalStateException} for calls out of order, the family of {@link StorageException} from await.
 */
public final class IoRequest {
  /** What a request does. */
  public enum Kind {
    /** {@link IoFile#read}. */
    READ,
    /** {@link IoFile#write}. */
    WRITE,
    /** {@link IoFile#sync}. */
    SYNC;

    /** For messages: "cannot read". */
    String verb() {
      return this == READ ? "read" : this == WRITE ? "write" : "sync";
    }
  }

  /*
   *  IDLE/DONE --prepare--> (PREPARING) PREPARED --begin--> IN_FLIGHT --complete/fail--> (baton posted) = done
   *                            ^-------rollback----'
   *
   * The posted baton is the only mark of completion. A state of its own would be seen by the owner
   * before the post, who could then reset the baton too early. With a callback the baton is posted
   * first, and the request not touched after: the callback, or another, may prepare it anew.
   */
  private static final int IDLE = 0;
  private static final int PREPARED = 1;
  private static final int IN_FLIGHT = 2;
  private static final int PREPARING = 3;

  /** In flight, with somebody in await: nobody else may prepare it before he has the outcome. */
  private static final int AWAITED = 4;

  /** While somebody is told on the thread that submitted: who is to be told next. */
  private static final ScopedValue<Queue<IoRequest>> TURN = ScopedValue.newInstance();

  private final AtomicInteger state = new AtomicInteger(IDLE);
  private final Baton done = new Baton();

  /** Written by prepare, read by whoever performs the request. Published by submit. */
  private Kind kind;

  private IoFile file;
  private long offset;
  private Region region;
  private long regionOffset;
  private int length;

  /** More than 1 if the memory is {@link #scattered}. */
  private int pieces;

  private ScatteredMemory scattered;
  private boolean synced;
  private boolean atomic;

  /** Whom to tell, or null if the owner awaits. */
  private IoCompletion onComplete;

  /** What the owner does while he awaits, or null. Written by {@link #start}. */
  private BooleanSupplier progress;

  private WorkClass workClass;

  /** Link of the queue that the request is in, guarded by that queue's lock. */
  IoRequest nextQueued;

  /** The work queue's part of this request, guarded by its lock. */
  long queuedNanos;

  /** Whether the work queue is to be told of the end. Published by whatever passes the request. */
  boolean dispatched;

  /** Written before the post of {@link #done}, read after it. */
  private int result;

  private Throwable failure;

  /** Null if nobody wants to know how long it takes. Published by submit. */
  private SlowIoEvent slow;

  /** The io_uring engine's part of this request, made on first use and kept. */
  private RingTransfer ringTransfer;

  /** Creates a request that is not prepared. */
  public IoRequest() {}

  /** Prepares a read as in {@link IoFile#read}. */
  public IoRequest prepareRead(
      IoFile file, long offset, Region region, long regionOffset, int length) {
    file.checkTransfer(offset, region, regionOffset, length);
    return prepare(Kind.READ, file, offset, region, regionOffset, length);
  }

  /** Prepares a write as in {@link IoFile#write}. */
  public IoRequest prepareWrite(
      IoFile file, long offset, Region region, long regionOffset, int length) {
    file.checkTransfer(offset, region, regionOffset, length);
    requireWritable(file);
    return prepare(Kind.WRITE, file, offset, region, regionOffset, length);
  }

  /**
   * Prepares a read into pieces of memory, which are filled one after the other.
   *
   * @param regionOffsets where the pieces are, in bytes; copied
   * @param first the first of the array that counts
   * @param count how many do, at least 1
   * @param pieceBytes the length of each, a multiple of the file's alignment
   */
  public IoRequest prepareRead(
      IoFile file,
      long offset,
      Region region,
      long[] regionOffsets,
      int first,
      int count,
      int pieceBytes) {
    checkPieces(file, offset, region, regionOffsets, first, count, pieceBytes);
    return prepare(Kind.READ, file, offset, region, regionOffsets, first, count, pieceBytes);
  }

  /** Prepares a write from pieces of memory, one after the other; as for the read of such. */
  public IoRequest prepareWrite(
      IoFile file,
      long offset,
      Region region,
      long[] regionOffsets,
      int first,
      int count,
      int pieceBytes) {
    checkPieces(file, offset, region, regionOffsets, first, count, pieceBytes);
    requireWritable(file);
    return prepare(Kind.WRITE, file, offset, region, regionOffsets, first, count, pieceBytes);
  }

  private static void checkPieces(
      IoFile file,
      long offset,
      Region region,
      long[] regionOffsets,
      int first,
      int count,
      int pieceBytes) {
    Objects.checkFromIndexSize(first, count, regionOffsets.length);
    if (count < 1 || pieceBytes < 1 || count > Integer.MAX_VALUE / pieceBytes) {
      throw new IllegalArgumentException(
          "there is at least 1 piece of at least 1 byte, and no more than a transfer can have:"
              + " count=%d pieceBytes=%d".formatted(count, pieceBytes));
    }
    file.checkTransfer(offset, region, regionOffsets[first], pieceBytes);
    for (int i = 1; i < count; i++) {
      file.checkTransfer(
          offset + (long) i * pieceBytes, region, regionOffsets[first + i], pieceBytes);
    }
  }

  private IoRequest prepare(
      Kind kind,
      IoFile file,
      long offset,
      Region region,
      long[] regionOffsets,
      int first,
      int count,
      int pieceBytes) {
    beginPreparing();
    set(kind, file, offset, region, regionOffsets[first], count * pieceBytes);
    if (count > 1) {
      if (scattered == null) {
        scattered = new ScatteredMemory();
      }
      scattered.set(region, regionOffsets, first, count, pieceBytes);
      pieces = count;
    }
    state.set(PREPARED);
    return this;
  }

  /** Prepares a sync as in {@link IoFile#sync}: of the writes that completed before submit. */
  public IoRequest prepareSync(IoFile file) {
    requireWritable(file);
    return prepare(Kind.SYNC, file, 0, null, 0, 0);
  }

  /**
   * Says what the prepared request is for; {@link IoFile#workClass} if nothing is said.
   *
   * @throws IllegalStateException if the request is not prepared
   */
  public IoRequest forWork(WorkClass work) {
    requirePrepared();
    this.workClass = Objects.requireNonNull(work, "work");
    return this;
  }

  /**
   * Makes a prepared write end when its bytes are durable, as in {@link IoFile#writeSynced}.
   *
   * @throws IllegalStateException if the request is not prepared, or not a write
   */
  public IoRequest synced() {
    requirePrepared();
    if (kind != Kind.WRITE) {
      throw new IllegalStateException("only a write can be synced: " + this);
    }
    synced = true;
    return this;
  }

  /**
   * Makes a prepared write be done wholly or not at all, even if the power fails: one that {@link
   * IoFile#atomicWrites} allows.
   *
   * @throws IllegalStateException if the request is not prepared, or not a write
   * @throws IllegalArgumentException if the file cannot do this write so, nor any from several
   *     pieces of memory
   */
  public IoRequest atomic() {
    requirePrepared();
    if (kind != Kind.WRITE) {
      throw new IllegalStateException("only a write can be atomic: " + this);
    }
    if (pieces > 1 || !file.atomicWrites().allows(offset, length)) {
      throw new IllegalArgumentException(
          "the file cannot do this write wholly or not at all: "
              + file.atomicWrites()
              + " "
              + this);
    }
    atomic = true;
    return this;
  }

  /**
   * Has somebody told when the prepared request has ended; it cannot be awaited then. Lasts until
   * the next prepare.
   *
   * @throws IllegalStateException if the request is not prepared
   */
  public IoRequest onComplete(IoCompletion completion) {
    requirePrepared();
    onComplete = Objects.requireNonNull(completion, "completion");
    return this;
  }

  private void requirePrepared() {
    if (state.get() != PREPARED) {
      throw new IllegalStateException("the request is not prepared: " + this);
    }
  }

  private static void requireWritable(IoFile file) {
    if (!file.canWrite()) {
      throw new IllegalStateException("the file was opened for reading: path=" + file.path());
    }
  }

  private IoRequest prepare(
      Kind kind, IoFile file, long offset, Region region, long regionOffset, int length) {
    beginPreparing();
    set(kind, file, offset, region, regionOffset, length);
    state.set(PREPARED);
    return this;
  }

  /** As the owner has it from prepare on, in one piece. */
  private void set(
      Kind kind, IoFile file, long offset, Region region, long regionOffset, int length) {
    this.kind = kind;
    this.file = file;
    this.offset = offset;
    this.region = region;
    this.regionOffset = regionOffset;
    this.length = length;
    this.pieces = 1;
    this.workClass = file.workClass();
    this.synced = false;
    this.atomic = false;
    this.onComplete = null;
    this.progress = null;
    this.failure = null;
    done.reset();
  }

  /**
   * Claims the request for this thread. Whoever breaks the rule of one thread at a time gets an
   * exception, never a transfer into memory that nobody has leased.
   */
  private void beginPreparing() {
    int before = state.get();
    boolean busy =
        before == PREPARING || before == AWAITED || (before == IN_FLIGHT && !done.isPosted());
    if (busy || !state.compareAndSet(before, PREPARING)) {
      throw new IllegalStateException("the request is in flight: " + this);
    }
    if (before == IN_FLIGHT && !done.isPosted()) {
      // Prepared and submitted by another thread since we looked.
      state.set(IN_FLIGHT);
      throw new IllegalStateException("the request is in flight: " + this);
    }
  }

  /** Returns what the request does, null before the first prepare. */
  public Kind kind() {
    return kind;
  }

  /** Returns the file, null before the first prepare. */
  public IoFile file() {
    return file;
  }

  /** Returns the byte offset in the file. */
  public long offset() {
    return offset;
  }

  /** Returns the region, null for a sync. */
  public Region region() {
    return region;
  }

  /** Returns the byte offset in the region, of the first piece if there are several. */
  public long regionOffset() {
    return regionOffset;
  }

  /** Returns the bytes to transfer. */
  public int length() {
    return length;
  }

  /** Returns how many pieces of memory there are, all of one length; 1 for a sync. */
  public int pieces() {
    return pieces;
  }

  /**
   * Returns the byte offset of a piece in the region.
   *
   * @param piece from 0 on
   */
  public long regionOffset(int piece) {
    Objects.checkIndex(piece, pieces);
    return pieces == 1 ? regionOffset : scattered.offset(piece);
  }

  /** The memory, if it is in several pieces; else null. */
  ScatteredMemory scattered() {
    return pieces > 1 ? scattered : null;
  }

  /** Keeps the memory in place; on an exception it is not kept. */
  void lease() {
    if (pieces > 1) {
      scattered.lease();
    } else if (region != null) {
      RegionLeases.take(region, regionOffset, length);
    }
  }

  /** Undoes {@link #lease}. */
  void endLease() {
    if (pieces > 1) {
      scattered.giveBack();
    } else if (region != null) {
      RegionLeases.giveBack(region, regionOffset, length);
    }
  }

  /** Returns what the request is for, null before the first prepare. */
  public WorkClass workClass() {
    return workClass;
  }

  /** Returns whether a completion is told of the end, instead of somebody who awaits it. */
  public boolean isTold() {
    return onComplete != null;
  }

  boolean isWrite() {
    return kind == Kind.WRITE;
  }

  /** Returns whether it is a write that ends when its bytes are durable. */
  public boolean isSynced() {
    return synced;
  }

  /** Returns whether it is a write that is done wholly or not at all. */
  public boolean isAtomic() {
    return atomic;
  }

  /** Returns whether the operation has completed: await will not wait. */
  public boolean isDone() {
    return done.isPosted();
  }

  /**
   * Waits for completion. May be called again with the same outcome, until the next prepare.
   *
   * @return bytes read, fewer than asked only at the end of the file; bytes written; 0 for a sync
   * @throws CancellationException if it was cancelled and did not start
   * @throws IllegalStateException if the request was never submitted, or {@link #onComplete} was
   *     called
   */
  public int await() throws IOException {
    if (onComplete != null) {
      throw new IllegalStateException("the request is told, not awaited: " + this);
    }
    if (!state.compareAndSet(IN_FLIGHT, AWAITED)) {
      throw new IllegalStateException(
          "the request was not submitted, or another thread awaits it: " + this);
    }
    try {
      while (progress != null && !done.isPosted() && progress.getAsBoolean()) {
        // The engine moves on in here.
      }
      done.await();
      return outcome();
    } finally {
      state.set(IN_FLIGHT);
    }
  }

  private int outcome() throws IOException {
    Exception cause = failure();
    if (cause instanceof IOException e) {
      throw e;
    }
    if (cause instanceof CancellationException e) {
      throw e;
    }
    return result;
  }

  /** Returns what the owner is told of a failure: an IOException or a cancellation; or null. */
  private Exception failure() {
    if (failure instanceof IOException known) {
      return known;
    }
    if (failure instanceof CancellationException cancelled) {
      return cancelled;
    }
    if (failure != null) {
      return new StorageException(
          "cannot " + kind.verb() + ": offset=" + offset, file.path(), failure);
    }
    return null;
  }

  /** The last touch of the engine: the owner may reuse the request at once. */
  private void tell() {
    if (slow != null) {
      slow.end(file.path(), kind, workClass, offset, length, failure != null);
      slow = null;
    }
    IoCompletion told = onComplete;
    if (told == null) {
      done.post();
      return;
    }
    Exception cause = failure();
    int bytes = cause == null ? result : 0;
    done.post();
    try {
      told.completed(this, bytes, cause);
    } catch (RuntimeException | Error e) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }

  /**
   * As {@link #tell}, on the thread that submits. In a completion that was told so it waits until
   * that has returned: a completion that submits again and again needs no more stack for it.
   */
  private void tellInTurn() {
    if (onComplete == null) {
      tell();
    } else if (TURN.isBound()) {
      TURN.get().add(this);
    } else {
      Queue<IoRequest> turn = new ArrayDeque<>();
      ScopedValue.where(TURN, turn)
          .run(
              () -> {
                for (IoRequest next = this; next != null; next = turn.poll()) {
                  next.tell();
                }
              });
    }
  }

  /**
   * Performs the prepared request on the calling thread, with the blocking methods of its file. For
   * engines that complete inline and for wrappers of engines; the outcome is told by {@link
   * #await}.
   *
   * @throws IllegalStateException if the request is not prepared or its file or region is closed;
   *     nothing has started
   */
  public void perform() {
    begin();
    slow = null; // the file's own methods tell of it
    try {
      result = 0;
      if (kind == Kind.SYNC) {
        file.sync();
      }
      int pieceBytes = length / pieces;
      for (int i = 0; i < pieces && kind != Kind.SYNC; i++) {
        int bytes = performPiece(offset + (long) i * pieceBytes, regionOffset(i), pieceBytes);
        result += bytes;
        if (bytes < pieceBytes) {
          break;
        }
      }
    } catch (IOException e) {
      failure = e;
    } catch (RuntimeException | Error e) {
      rollback();
      throw e;
    }
    tellInTurn();
  }

  private int performPiece(long offset, long regionOffset, int length) throws IOException {
    if (kind == Kind.READ) {
      return file.read(offset, region, regionOffset, length);
    }
    if (synced) {
      file.writeSynced(offset, region, regionOffset, length);
    } else {
      file.write(offset, region, regionOffset, length);
    }
    return length;
  }

  /**
   * Claims the prepared request for an engine that performs it in its own way, and ends it when it
   * likes.
   *
   * @param progress called by await as long as the request has not ended, for engines that move
   *     only when somebody moves them; returns false if it has nothing to do
   * @throws IllegalStateException if the request is not prepared
   */
  public Started start(BooleanSupplier progress) {
    Objects.requireNonNull(progress, "progress");
    begin();
    this.progress = progress;
    return new Started();
  }

  /**
   * The engine's side of a request that it has started; nobody else can end it.
   *
   * <p>Threads: any, one at a time. Errors: {@link IllegalStateException} if it was ended before.
   */
  public final class Started {
    private final AtomicBoolean ended = new AtomicBoolean();

    private Started() {}

    private void end() {
      if (ended.getAndSet(true)) {
        throw new IllegalStateException("the request has ended already: " + IoRequest.this);
      }
    }

    /** Ends it well, with what await returns. */
    public void complete(int bytes) {
      end();
      IoRequest.this.complete(bytes);
    }

    /** Ends it with what await throws: an IOException or a CancellationException. */
    public void fail(Exception failure) {
      Objects.requireNonNull(failure, "failure");
      end();
      IoRequest.this.fail(failure);
    }

    /** Gives it back prepared, as if it had not been started. */
    public void rollBack() {
      end();
      rollback();
    }
  }

  RingTransfer ringTransfer() {
    if (ringTransfer == null) {
      ringTransfer = new RingTransfer(this);
    }
    return ringTransfer;
  }

  /** Claims the request for the engine. */
  void begin() {
    if (!state.compareAndSet(PREPARED, IN_FLIGHT)) {
      throw new IllegalStateException("the request is not prepared: " + this);
    }
    if (done.isPosted()) {
      throw new IllegalStateException("the request was prepared by two threads: " + this);
    }
    slow = SlowIoEvent.beginOrNull();
  }

  /** Takes back {@link #begin}: the operation did not start. */
  void rollback() {
    slow = null;
    state.set(PREPARED);
  }

  void complete(int bytes) {
    result = bytes;
    tell();
  }

  void fail(Throwable failure) {
    this.failure = Objects.requireNonNull(failure);
    tell();
  }

  /** Ends a request with which there was nothing to do, on the thread that submits it. */
  void endAtOnce(Throwable failureOrNull) {
    this.failure = failureOrNull;
    this.result = 0;
    tellInTurn();
  }

  @Override
  public String toString() {
    return kind == null
        ? "kind=null"
        : "kind=%s path=%s offset=%d length=%d".formatted(kind, file.path(), offset, length);
  }
}
