package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.lsm.memtable.EntryCursor;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A batch in the log that was changed on purpose: refused, or inserted as what it says. */
final class HostileBatch {
  private static final int MEMTABLE_BYTES = 256 << 10;

  private final MemtableSpace space =
      new MemtableSpace(
          MemoryBudget.root("test", MEMTABLE_BYTES),
          RegionOptions.ofSize(MEMTABLE_BYTES),
          1,
          () -> {});
  private final byte[] sound;

  HostileBatch() {
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < 10; i++) {
      batch.put(new byte[i], new byte[3 * i]).delete(new byte[5]);
      batch.add(
          new FamilyState(i, "", null),
          RecordKind.PUT,
          MemorySegment.ofArray(new byte[i]),
          MemorySegment.ofArray(new byte[1]));
      batch.deleteRange(new byte[i], new byte[i + 3]);
    }
    sound = Fixtures.array(Fixtures.record(batch));
  }

  /** Reads a record with these changes. Returns whether it was refused. */
  boolean isRefused(byte[] input, int from) {
    MemorySegment record = MemorySegment.ofArray(sound.clone());
    Patches.apply(input, from, record, List.of(new Patches.Part(0, sound.length)));
    if (BatchFormat.defect(record) != null) {
      return true;
    }
    Memtable memtable = space.tryCreate();
    try {
      assertTrue(memtable.tryEnter(BatchFormat.memtableBytes(record), record, _ -> true));
      memtable.insert(record, 1);
      memtable.exit();
      List<Integer> marks = new ArrayList<>();
      BatchFormat.forEachFamily(record, marks::add);
      Set<Integer> families = new HashSet<>(marks);
      families.add(Memtable.DEFAULT_FAMILY);
      int count = marks.size();
      for (int family : families) {
        EntryCursor cursor = memtable.entries(family);
        for (long entry = cursor.first(); entry != Memtable.NONE; entry = cursor.next()) {
          count++;
        }
        for (RangeDeletes set : memtable.rangeDeletes(family)) {
          count += set.all().size();
        }
      }
      assertEquals(BatchFormat.count(record), count);
    } finally {
      memtable.release();
    }
    return false;
  }
}
