package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class LogBuffersTest {
  private static final int EXTENT = 24;
  private static final MemorySegment RECORD = MemorySegment.ofArray(new byte[16]);

  private final Region region = Region.map(LogModel.budget(), RegionOptions.ofSize(8192));
  private final LogBuffers buffers =
      new LogBuffers(region, 4096, LogHeader.first(new LogOptions(8192, 2, 4096), 0), null);
  private int written;

  @AfterEach
  void close() {
    region.close();
  }

  private int write(long sealed) throws IOException {
    return buffers.write(sealed, 0, (lsn, memory, offset, bytes) -> written += bytes);
  }

  private long fill(long place, int extent, MemorySegment record) {
    try (LogPlace begun = buffers.begin(place, extent, (int) record.byteSize())) {
      begun.put(record);
      return begun.endLsn();
    }
  }

  @Test
  void aBlockIsNotWrittenBeforeAllPlacesInItAreFilled() throws Exception {
    long first = buffers.open(8192, EXTENT);
    long second = buffers.reserve(EXTENT);
    assertEquals(LogFormat.BLOCK_HEADER_BYTES + EXTENT, fill(first, EXTENT, RECORD));
    long sealed = buffers.seal();
    AtomicReference<Thread> writer = new AtomicReference<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(1)) {
      Future<Integer> writing =
          executor.submit(
              () -> {
                writer.set(Thread.currentThread());
                return write(sealed);
              });
      while (!writing.isDone()
          && (writer.get() == null || writer.get().getState() != Thread.State.WAITING)) {
        Thread.onSpinWait();
      }
      assertFalse(writing.isDone());
      assertEquals(0, written);
      assertEquals(buffers.endLsn(), fill(second, EXTENT, RECORD));
      assertEquals(4096, writing.get());
    }
    assertEquals(4096, written);
  }

  @Test
  void aBlockWithAPlaceThatCouldNotBeFilledIsNotWritten() {
    Arena arena = Arena.ofShared();
    MemorySegment record = arena.allocate(16);
    long place = buffers.open(8192, EXTENT);
    arena.close();
    RuntimeException gone =
        assertThrows(IllegalStateException.class, () -> fill(place, EXTENT, record));
    long sealed = buffers.seal();
    IOException refused = assertThrows(IOException.class, () -> write(sealed));
    assertSame(gone, refused.getCause());
    assertEquals(0, written);
  }

  @Test
  void theEndIsWhereTheNextRecordStarts() throws IOException {
    assertEquals(0, buffers.endLsn());
    long place = buffers.open(8192, EXTENT);
    assertEquals(LogFormat.BLOCK_HEADER_BYTES + EXTENT, buffers.endLsn());
    assertTrue(buffers.fits(EXTENT));
    assertFalse(buffers.fits(4096));
    fill(place, EXTENT, RECORD);
    assertEquals(4096, write(buffers.seal()));
    assertEquals(LogFormat.BLOCK_HEADER_BYTES + EXTENT, buffers.endLsn());
    assertEquals(4096, buffers.nextLsn());
    BlockHeader skipped = buffers.skip(4096, 0, 0);
    assertEquals(LogFormat.BLOCK_HEADER_BYTES + EXTENT, skipped.previousEndLsn());
    assertEquals(4096 + LogFormat.BLOCK_HEADER_BYTES, buffers.endLsn());
    assertEquals(8192, buffers.nextLsn());
  }

  @Test
  void aPlaceKnowsTheEndOfTheRecordBeforeWhateverIsBetween() throws IOException {
    long end = LogFormat.BLOCK_HEADER_BYTES + EXTENT;
    assertEquals(0, previousEnd(buffers.open(8192, EXTENT)));
    assertEquals(end, previousEnd(buffers.reserve(EXTENT)));
    assertEquals(4096, write(buffers.seal()));
    BlockHeader padding = buffers.skip(4096, 0, 0);
    assertTrue(padding.endLsn() > end + EXTENT);
    assertEquals(end + EXTENT, previousEnd(buffers.open(8192 + 4096, EXTENT)));
    assertEquals(4096, write(buffers.seal()));
    BlockHeader large = buffers.skip(4096, 2 * EXTENT, 0);
    assertEquals(large.endLsn(), previousEnd(buffers.open(8192 + 16384, EXTENT)));
  }

  private long previousEnd(long place) {
    try (LogPlace begun = buffers.begin(place, EXTENT, (int) RECORD.byteSize())) {
      begun.put(RECORD);
      assertEquals(begun.endLsn(), begun.startLsn() + EXTENT);
      return begun.previousEndLsn();
    }
  }
}
