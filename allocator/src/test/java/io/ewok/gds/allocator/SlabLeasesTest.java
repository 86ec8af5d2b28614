package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.assertStale;
import static io.ewok.gds.allocator.SlabFixture.granted;
import static io.ewok.gds.allocator.SlabFixture.options;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Cells that are freed while the kernel reads or writes them. */
class SlabLeasesTest {
  private static final int MIB = 1 << 20;
  private static final int BYTES = 65_536;
  private static final int ALL = 32;

  /** Room for {@link #ALL} cells of {@link #BYTES} bytes. */
  private final MemoryBudget budget = MemoryBudget.root("test", 2 * MIB);

  private final SlabAllocator allocator = new SlabAllocator(budget, options());
  private final SlabShard shard = allocator.shard();

  @AfterEach
  void close() {
    shard.close();
    allocator.close();
    assertEquals(0, budget.usedBytes());
  }

  private void begin(long handle) {
    RegionLeases.take(
        allocator.region(handle), allocator.offset(handle), allocator.cellBytes(handle));
  }

  /** Ends the operation on a cell that may have been freed. */
  private record Operation(Region region, long offset, long bytes) {
    void end() {
      RegionLeases.giveBack(region, offset, bytes);
    }
  }

  private Operation operation(long handle) {
    Operation operation =
        new Operation(
            allocator.region(handle), allocator.offset(handle), allocator.cellBytes(handle));
    begin(handle);
    return operation;
  }

  /** Allocates and frees all there is, and returns how much that is. */
  private int room() {
    long[] handles = new long[ALL + 1];
    int count = shard.allocateBatch(BYTES, handles, 0, ALL + 1);
    shard.freeBatch(handles, 0, count);
    return count;
  }

  private void deferred(LongConsumer free) throws InterruptedException {
    long handle = granted(shard.allocate(BYTES));
    Operation first = operation(handle);
    Operation second = operation(handle);
    assertEquals(ALL - 1, room());
    free.accept(handle);
    assertStale(allocator, handle);
    assertThrows(StaleHandleException.class, () -> shard.free(handle));
    assertEquals(ALL - 1, room());
    assertEquals(0, allocator.stats().liveCells());
    assertEquals(1, allocator.stats().deferredCells());
    assertEquals(1, allocator.stats().deferredFrees());
    first.end();
    assertEquals(ALL - 1, room());
    Thread.ofPlatform().start(second::end).join();
    assertEquals(ALL, room());
    assertEquals(0, allocator.stats().deferredCells());
    assertEquals(1, allocator.stats().deferredFrees());
    long next = granted(shard.allocate(BYTES));
    assertNotEquals(handle, next);
    shard.free(next);
  }

  @Test
  void cellThatAShardFreesComesBackWhenTheLastOperationEnds() throws InterruptedException {
    deferred(shard::free);
  }

  @Test
  void cellThatAnyThreadFreesComesBackWhenTheLastOperationEnds() throws InterruptedException {
    deferred(allocator::free);
  }

  @Test
  void cellThatABatchFreesComesBackToo() throws InterruptedException {
    deferred(handle -> allocator.freeBatch(new long[] {handle}, 0, 1));
  }

  @Test
  void operationThatEndsBeforeTheFreeChangesNothing() {
    long handle = granted(shard.allocate(BYTES));
    operation(handle).end();
    allocator.segment(handle).fill((byte) 1);
    shard.free(handle);
    long other = granted(shard.allocate(BYTES));
    operation(other).end();
    allocator.free(other);
    assertEquals(ALL, room());
    assertEquals(0, allocator.stats().deferredFrees());
  }

  @Test
  void neighboursOfACellUnderOperationAreFreedAtOnce() {
    long[] handles = new long[100];
    assertEquals(100, shard.allocateBatch(4096, handles, 0, 100));
    Operation operation = operation(handles[50]);
    shard.freeBatch(handles, 0, 50);
    allocator.freeBatch(handles, 51, 49);
    shard.free(handles[50]);
    assertEquals(1, allocator.stats().deferredFrees());
    assertEquals(0, allocator.stats().liveCells());
    operation.end();
  }

  @Test
  void operationOverSeveralCellsHoldsThemAll() {
    long[] handles = new long[ALL];
    assertEquals(ALL, shard.allocateBatch(BYTES, handles, 0, ALL));
    Region region = allocator.region(handles[0]);
    RegionLeases.take(region, BYTES - 1, BYTES + 2);
    shard.freeBatch(handles, 0, ALL);
    assertEquals(3, allocator.stats().deferredCells());
    assertEquals(ALL - 3, room());
    RegionLeases.giveBack(region, BYTES - 1, BYTES + 2);
    assertEquals(ALL, room());
  }

  @Test
  void memoryUnderOperationIsNeitherReturnedNorUnmapped() {
    List<Long> handles = new ArrayList<>();
    for (int i = 0; i < ALL; i++) {
      handles.add(granted(shard.allocate(BYTES)));
    }
    Operation operation = operation(handles.get(7));
    handles.forEach(shard::free);
    shard.flush();
    assertEquals(0, allocator.trim());
    assertEquals(2 * MIB, budget.usedBytes());
    operation.end();
    assertEquals(2 * MIB, allocator.trim());
  }

  @Test
  void closeIsRefusedUntilTheOperationEnds() {
    long handle = granted(shard.allocate(BYTES));
    Operation operation = operation(handle);
    assertThrows(IllegalStateException.class, allocator::close);
    assertThrows(IllegalStateException.class, () -> shard.allocate(BYTES));
    assertStale(allocator, handle);
    assertEquals(2 * MIB, budget.usedBytes());
    operation.end();
    allocator.close();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void operationOnMemoryThatBelongsToNoCellIsRefused() {
    long handle = granted(shard.allocate(BYTES));
    Region region = allocator.region(handle);
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> RegionLeases.take(region, 0, region.committedBytes()));
    assertTrue(e.getMessage().contains("offset=0"), e.getMessage());
    // What was counted until then is not counted any more.
    shard.free(handle);
    assertEquals(ALL, room());
    assertEquals(0, allocator.stats().deferredFrees());
  }
}
