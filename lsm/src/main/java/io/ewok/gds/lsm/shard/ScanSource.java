package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.RecordBatch;
import io.ewok.gds.lsm.StoreCursor;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;

/**
 * The records of one shard for a scan: its owner fills one batch while the caller is at the records
 * of another.
 *
 * <p>Threads: the owner's while it is under way as a task; else the caller's.
 */
final class ScanSource extends Task {
  private static final int BATCH_BYTES = 16 << 10;
  private static final int BATCH_RECORDS = 256;

  private final Shard shard;
  private final CursorOptions options;

  // The owner's while the task is under way.
  private StoreCursor cursorOrNull;
  private RecordBatch filling = newBatch(BATCH_BYTES);

  /** Whether there is nothing behind what is in the batches. */
  private boolean ended;

  // The caller's.
  private RecordBatch reading = newBatch(BATCH_BYTES);
  private int at;
  private boolean isUnderWay;

  ScanSource(Shard shard, CursorOptions options) {
    super(Kind.FIBER, Scratch.NONE);
    this.shard = shard;
    this.options = options;
  }

  private static RecordBatch newBatch(long bytes) {
    return new RecordBatch(Arena.ofAuto().allocate(bytes), BATCH_RECORDS);
  }

  @Override
  protected void run() throws IOException {
    if (cursorOrNull == null) {
      cursorOrNull = shard.store.cursor(options);
      cursorOrNull.first();
    }
    StoreCursor cursor = cursorOrNull;
    if (cursor.fill(filling) == 0 && cursor.isValid()) {
      filling = newBatch(cursor.key().byteSize() + cursor.value().byteSize());
      int unused = cursor.fill(filling);
    }
    ended = !cursor.isValid();
  }

  /** Has the owner read ahead. */
  void begin() {
    shard.owner.post(this);
    isUnderWay = true;
  }

  /**
   * Moves to the next record, the first one at first. After {@link #begin}.
   *
   * @return whether there is one
   */
  boolean move() throws IOException {
    if (++at < reading.count()) {
      return true;
    }
    if (!isUnderWay) {
      return false;
    }
    isUnderWay = false;
    try {
      await();
    } catch (ExecutionException e) {
      Failures.rethrow(e.getCause());
    }
    RecordBatch filled = filling;
    filling = reading;
    reading = filled;
    at = 0;
    if (!ended) {
      begin();
    }
    return filled.count() > 0;
  }

  MemorySegment key() {
    return reading.key(at);
  }

  MemorySegment value() {
    return reading.value(at);
  }

  /** Returns whether its record comes before that of another one. Makes no garbage. */
  boolean isBefore(ScanSource other) {
    MemorySegment memory = reading.memory();
    MemorySegment otherMemory = other.reading.memory();
    long from = reading.keyOffset(at);
    long bytes = reading.keyBytes(at);
    long otherFrom = other.reading.keyOffset(other.at);
    long otherBytes = other.reading.keyBytes(other.at);
    long differs =
        MemorySegment.mismatch(
            memory, from, from + bytes, otherMemory, otherFrom, otherFrom + otherBytes);
    if (differs < 0 || differs == bytes || differs == otherBytes) {
      return bytes < otherBytes;
    }
    return Byte.compareUnsigned(
            memory.get(ValueLayout.JAVA_BYTE, from + differs),
            otherMemory.get(ValueLayout.JAVA_BYTE, otherFrom + differs))
        < 0;
  }

  /** Waits for what is under way, and lets go of what the cursor keeps. */
  void close() {
    if (isUnderWay) {
      cancel();
      try {
        await();
      } catch (ExecutionException | CancellationException e) {
        ended = true; // nobody wants what it would have read
      }
    }
    if (cursorOrNull != null) {
      cursorOrNull.close();
    }
  }
}
