package io.ewok.gds.lsm.memtable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class MemtableTest {
  private static final long BYTES = 1 << 20;

  private final MemoryBudget budget = MemoryBudget.root("test", 2 * BYTES);
  private final AtomicLong freed = new AtomicLong();
  private final MemtableSpace space = new MemtableSpace(budget, BYTES, 2, freed::incrementAndGet);

  private static String key(long node) {
    return Fixtures.text(
        Fixtures.array(Memory.view(NodeFormat.keyAddress(node), NodeFormat.keyBytes(node))));
  }

  @Test
  void recordsAreInOrderBothWaysWithTheNewestOfAKeyFirst() {
    long seed = Fixtures.seed(4);
    SplittableRandom random = new SplittableRandom(seed);
    Memtable memtable = space.tryCreate();
    List<String> expected = new ArrayList<>();
    long sequence = 1;
    while (expected.size() < 3_000) {
      WriteBatch batch = new WriteBatch();
      int first = (int) sequence;
      for (int i = random.nextInt(4); i >= 0; i--) {
        String key = "key" + random.nextInt(900);
        batch.put(Fixtures.bytes(key), Fixtures.bytes("value"));
        // Newer before older: the complement of the sequence.
        expected.add(key + " " + String.format("%05d", 99_999 - sequence++));
      }
      memtable.insert(Fixtures.record(batch, first), first);
    }
    expected.sort(null);
    List<String> forward = new ArrayList<>();
    for (long node = memtable.first(); node != Memtable.NONE; node = memtable.next(node)) {
      forward.add(name(node));
    }
    assertEquals(expected, forward, Fixtures.replay(getClass(), seed));
    List<String> backward = new ArrayList<>();
    for (long node = memtable.last(); node != Memtable.NONE; node = memtable.previous(node)) {
      backward.addFirst(name(node));
    }
    assertEquals(expected, backward, Fixtures.replay(getClass(), seed));
    assertEquals(expected.size(), memtable.count());
    memtable.release();
  }

  private static String name(long node) {
    return key(node)
        + " "
        + String.format("%05d", 99_999 - RecordKind.sequence(NodeFormat.stamp(node)));
  }

  @Test
  void chargesAreAnUpperBoundOfTheMemory() {
    Memtable memtable = space.tryCreate();
    WriteBatch batch = new WriteBatch();
    int operations = 0;
    for (int i = 0; memtable.hasRoom(BatchFormat.operationSizeBytes(1, 0)); i++) {
      batch.clear();
      batch.put(new byte[] {(byte) i}, new byte[0]);
      memtable.insert(Fixtures.record(batch, i + 1), i + 1);
      operations++;
    }
    assertTrue(operations > 20_000);
    // One block: nothing was allocated beyond the capacity.
    assertEquals(BYTES, budget.usedBytes());
    memtable.release();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void placesAreLimitedAndComeBackWithTheLastUser() {
    Memtable first = space.tryCreate();
    Memtable second = space.tryCreate();
    assertNull(space.tryCreate());
    first.references.retain();
    first.release();
    assertNull(space.tryCreate());
    assertEquals(0, freed.get());
    first.release();
    assertEquals(1, freed.get());
    Memtable third = space.tryCreate();
    assertNotNull(third);
    assertThrows(IllegalStateException.class, first.references::retain);
    second.release();
    third.release();
    space.close();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void viewsEndWithTheMemtable() {
    Memtable memtable = space.tryCreate();
    WriteBatch batch = new WriteBatch().put(Fixtures.bytes("key"), Fixtures.bytes("value"));
    memtable.insert(Fixtures.record(batch, 1), 1);
    long node = memtable.first();
    MemorySegment view =
        memtable.segment(NodeFormat.valueAddress(node), NodeFormat.valueBytes(node));
    assertEquals("value", Fixtures.text(Fixtures.array(view)));
    assertThrows(
        IllegalArgumentException.class, () -> view.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
    memtable.release();
    assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  @Timeout(30)
  void readersSeeAllThatWasPublishedAndNothingTwiceWhileAWriterInserts() throws Exception {
    Memtable memtable = space.tryCreate();
    AtomicLong published = new AtomicLong();
    int operations = 8_000;
    FutureTask<Void> reader =
        new FutureTask<>(
            () -> {
              long sequence = 0;
              for (int round = 0; sequence < operations; round++) {
                sequence = published.get();
                MemtableSource source = new MemtableSource(memtable, sequence);
                long count = 0;
                if (round % 2 == 0) {
                  for (source.first(); source.isValid(); source.next()) {
                    count++;
                  }
                } else {
                  for (source.last(); source.isValid(); source.previous()) {
                    count++;
                  }
                }
                source.close();
                assertEquals(sequence, count);
              }
              return null;
            });
    Thread thread = Thread.ofPlatform().start(reader);
    WriteBatch batch = new WriteBatch();
    for (int i = 1; i <= operations; i++) {
      batch.clear();
      // Each key once, in an order that jumps about.
      batch.put(Fixtures.bytes("key" + (i * 7_919 % 10_007)), new byte[8]);
      memtable.insert(Fixtures.record(batch, i), i);
      published.set(i);
    }
    reader.get();
    thread.join();
    memtable.release();
  }
}
