package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Looks for values of keys among writes that the store does not have yet, before it is asked.
 *
 * <p>Ownership: what was found lies in the memory of the writes, or in memory of its own until the
 * next look. Threads: confined to one at a time, as the writes are.
 */
final class OwnReads {
  /** Where the value of a key is to be had. */
  enum Where {
    /** It is what was found. */
    HERE,
    /** The key has no value. */
    NOWHERE,
    /** The store has to be asked. */
    IN_STORE,
    /** It is made of own operands, and of what the store has: see {@link #mergeOn}. */
    ON_STORE
  }

  private final OwnWrites own;

  /** By family; made when operands are read before they are written. */
  private final Map<Integer, OperandMerger> mergers = new HashMap<>();

  /** What has collected the operands that were found last. */
  private OperandMerger merger;

  // What was found last.
  private long address;
  private int lengthBytes;

  OwnReads(OwnWrites own) {
    this.own = own;
  }

  /** Looks for the value of a key. */
  Where look(FamilyState family, SearchKey wanted) throws MergeFailedException {
    OwnFamily writes = own.familyOrNull(family);
    OwnKey key = writes == null ? null : writes.findOrNull(wanted);
    OwnWrite write = key == null ? null : key.newest;
    long hidden = writes == null ? 0 : writes.newestRange(wanted); // up to this number
    if (write == null || write.number() < hidden) {
      return hidden > 0 ? Where.NOWHERE : Where.IN_STORE;
    }
    return switch (write.kind()) {
      case RecordKind.PUT -> {
        setFound(write.valueAddress(), write.valueBytes());
        yield Where.HERE;
      }
      case RecordKind.OPERAND -> collect(family, wanted, write, hidden);
      default -> Where.NOWHERE;
    };
  }

  private Where collect(FamilyState family, SearchKey wanted, OwnWrite newest, long hidden)
      throws MergeFailedException {
    merger = mergers.computeIfAbsent(family.id(), _ -> new OperandMerger(family.merging()));
    merger.begin();
    OwnWrite write = newest;
    boolean more = true;
    while (more && write != null && write.number() >= hidden) {
      long stamp = RecordKind.stamp(1 + write.number(), write.kind());
      more = merger.accept(stamp, write.valueAddress(), write.valueBytes());
      write = write.older();
    }
    if (more && hidden == 0) {
      return Where.ON_STORE;
    }
    merge(wanted);
    return Where.HERE;
  }

  /** Makes the value of the operands that were found, and of what there is below. */
  void mergeOn(ReadView below, SearchKey wanted) throws IOException {
    OperandMerger collected = merger;
    boolean unused =
        below.get(
            wanted.segment(),
            value -> collected.operands().setBase(value.address(), (int) value.byteSize()));
    merge(wanted);
  }

  private void merge(SearchKey wanted) throws MergeFailedException {
    merger.merge(wanted);
    setFound(merger.result().address(), merger.result().lengthBytes());
  }

  private void setFound(long foundAddress, int foundBytes) {
    address = foundAddress;
    lengthBytes = foundBytes;
  }

  /** Where the value lies that was found. */
  long address() {
    return address;
  }

  /** Its length in bytes. */
  int lengthBytes() {
    return lengthBytes;
  }
}
