package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a transaction or an {@link IndexedBatch} has written: the batch that goes to the store, and
 * an index of that, so that it reads its own writes. Keys and values lie in the memory of the
 * batch.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class OwnWrites {
  private final WriteBatch batch = new WriteBatch();
  private final long batchBytesMax;
  private final List<OwnWrite> all = new ArrayList<>();

  /** By number. */
  private final Map<Integer, OwnFamily> families = new HashMap<>();

  /** That the last write lies in, read-only. */
  private MemorySegment memory = MemorySegment.NULL;

  /** A place to go back to. */
  record Mark(int count, WriteBatch.Mark batch) {}

  /** Writes of so many bytes at most, as {@link WriteBatch#sizeBytes} counts them. */
  OwnWrites(long batchBytesMax) {
    this.batchBytesMax = batchBytesMax;
  }

  /**
   * Adds a write; key and value are copied.
   *
   * @throws IllegalArgumentException if that is too much; nothing is added
   */
  void add(FamilyState to, int kind, MemorySegment key, MemorySegment value) {
    WriteBatch.Mark before = batch.mark();
    if (kind == RecordKind.RANGE_DELETE) {
      batch.addRange(to, key, value);
    } else {
      batch.add(to, kind, key, value);
    }
    if (batch.sizeBytes() > batchBytesMax) {
      long sizeBytes = batch.sizeBytes();
      batch.reset(before);
      throw new IllegalArgumentException(
          "what is written together has at most %d bytes with its overheads: sizeBytes=%d"
              .formatted(batchBytesMax, sizeBytes));
    }
    if (batch.memory().address() != memory.address()) {
      memory = batch.memory().asReadOnly();
    }
    OwnFamily of = families.computeIfAbsent(to.id(), _ -> new OwnFamily(to));
    int number = all.size();
    long keyAddress = batch.lastKeyAddress();
    int keyBytes = (int) key.byteSize();
    int valueBytes = (int) value.byteSize();
    OwnKey written = null;
    if (kind == RecordKind.RANGE_DELETE) {
      of.addRange(
          new RangeDelete(
              Keys.copy(keyAddress, keyBytes),
              Keys.copy(keyAddress + keyBytes, valueBytes),
              number + 1));
    } else {
      written = of.added(new OwnKey().set(memory, keyAddress, keyBytes));
    }
    OwnWrite older = written == null ? null : written.newest;
    OwnWrite write =
        new OwnWrite(
            of, written, number, kind, memory, keyBytes, keyAddress + keyBytes, valueBytes, older);
    if (written != null) {
      written.newest = write;
    }
    all.add(write);
  }

  /** How many writes there are. */
  int count() {
    return all.size();
  }

  /** All of them, in their order. */
  List<OwnWrite> all() {
    return all;
  }

  /** Whether it deletes ranges. */
  boolean hasRanges() {
    return families.values().stream().anyMatch(OwnFamily::hasRanges);
  }

  /** What the commit writes. */
  WriteBatch batch() {
    return batch;
  }

  /** Those to a family, or null if there never were any. */
  OwnFamily familyOrNull(FamilyState family) {
    return families.get(family.id());
  }

  /** Forgets everything, and keeps the memory. */
  void clear() {
    all.clear();
    families.clear();
    batch.clear();
  }

  Mark mark() {
    return new Mark(all.size(), batch.mark());
  }

  /** Takes all writes away that came after a mark. Nobody may look at these any more. */
  void reset(Mark mark) {
    while (all.size() > mark.count()) {
      OwnWrite last = all.removeLast();
      last.of().undo(last);
    }
    batch.reset(mark.batch());
  }
}
