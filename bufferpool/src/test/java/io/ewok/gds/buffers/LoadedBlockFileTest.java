package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Blocks that are compressed in their file. Each holds its number, and slowly rising ones. */
final class LoadedBlockFileTest {
  private static final Path FILE = Path.of("/blocks");
  private static final int FRAME = 4096;
  private static final int BLOCKS = 30;
  private static final int BLOCK_BYTES = 2 * FRAME + 808;
  private static final int STORED_BYTES = 1024;
  private static final BufferOptions OPTIONS = new BufferOptions(8 * FRAME, FRAME, null);

  private final SimEngine engine = new SimEngine(1);

  @BeforeEach
  void write() throws IOException {
    try (Region region =
            Region.map(BufferFixture.budget(), RegionOptions.ofSize(BLOCKS * STORED_BYTES));
        IoFile file = engine.open(FILE, OpenMode.CREATE_NEW)) {
      MemorySegment block = MemorySegment.ofArray(new byte[BLOCK_BYTES]);
      for (int number = 0; number < BLOCKS; number++) {
        for (long at = 0; at < BLOCK_BYTES; at += Long.BYTES) {
          block.set(ValueLayout.JAVA_LONG_UNALIGNED, at, content(number, at));
        }
        try (Deflater deflater = new Deflater()) {
          deflater.setInput(block.asByteBuffer());
          deflater.finish();
          ByteBuffer into =
              region.segment().asSlice((long) number * STORED_BYTES, STORED_BYTES).asByteBuffer();
          while (!deflater.finished()) {
            assertTrue(deflater.deflate(into) > 0, "does not fit");
          }
        }
      }
      file.write(0, region, 0, BLOCKS * STORED_BYTES);
      file.sync();
    }
  }

  private static long content(int number, long at) {
    return number + at / 1024;
  }

  private static void inflate(Path path, long offset, MemorySegment stored, MemorySegment block)
      throws CorruptFileException {
    try (Inflater inflater = new Inflater()) {
      inflater.setInput(stored.asByteBuffer());
      int count = inflater.inflate(block.asByteBuffer());
      if (count != block.byteSize()) {
        throw new CorruptFileException(path, offset, BLOCK_BYTES, count);
      }
    } catch (DataFormatException e) {
      throw new CorruptFileException(path, offset, "a compressed block", e.getMessage());
    }
  }

  private static void fix(LoadedBlockFile file, int number, Fix fix) throws IOException {
    file.fix((long) number * STORED_BYTES, STORED_BYTES, BLOCK_BYTES, fix);
    for (long at = 0; at < BLOCK_BYTES; at += Long.BYTES) {
      assertEquals(content(number, at), fix.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, at));
    }
  }

  @Test
  void whatIsStoredIsReadOnceAndLeavesNoFrameBehind() throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix fix = new Fix()) {
      for (int i = 0; i < 3; i++) {
        fix(file, 7, fix);
        assertTrue(fix.segment().isReadOnly());
        assertEquals(BLOCK_BYTES, fix.segment().byteSize());
        fix.unfix();
      }
      assertEquals(1, manager.stats().misses());
      assertEquals(2, manager.stats().hits());
      assertEquals(STORED_BYTES, manager.stats().bytesRead());
      assertEquals(5, manager.stats().freeFrames());
      assertEquals(BLOCKS * STORED_BYTES, file.sizeBytes());
    }
  }

  @Test
  void blockIsFixedWhereItWasAsLongAsItIsThere() throws IOException {
    long offset = 7 * STORED_BYTES;
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix fix = new Fix()) {
      fix(file, 7, fix);
      int frame = fix.frame();
      fix.unfix();
      assertTrue(file.tryFixAt(offset, frame, 1024, fix));
      assertEquals(BLOCK_BYTES, fix.lengthBytes());
      assertEquals(offset, fix.number());
      assertEquals(frame, fix.frame());
      assertEquals(content(7, 5000), fix.getLong(5000));
      assertThrows(IllegalStateException.class, () -> file.tryFixAt(offset, frame, 1024, fix));
      fix.unfix();
      assertEquals(1, manager.stats().misses());
      assertEquals(1, manager.stats().hits());

      assertFalse(file.tryFixAt(offset + 1, frame, 1024, fix));
      for (int wrong : new int[] {Integer.MIN_VALUE, -1, frame + 1, 8, Integer.MAX_VALUE}) {
        assertFalse(file.tryFixAt(offset, wrong, Integer.MAX_VALUE, fix), "frame: " + wrong);
      }
      assertFalse(fix.isFixed());
      for (int number = 8; number < BLOCKS; number++) { // takes its place
        fix(file, number, fix);
        fix.unfix();
      }
      assertFalse(file.tryFixAt(offset, frame, 1024, fix));
    }
  }

  @Test
  void nothingIsFixedWhereItWasInAFileOrAPoolThatIsClosed() throws IOException {
    BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
    try (Fix fix = new Fix()) {
      LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
      fix(file, 7, fix);
      int frame = fix.frame();
      fix.unfix();
      file.close();
      assertFalse(file.tryFixAt(7 * STORED_BYTES, frame, 1024, fix));
      manager.close();
      assertThrows(
          IllegalStateException.class, () -> file.tryFixAt(7 * STORED_BYTES, frame, 1024, fix));
    }
  }

  @Test
  void whatWasPutNeedsNoReadAndWritesNothing() throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix fix = new Fix()) {
      MemorySegment block = MemorySegment.ofArray(new byte[BLOCK_BYTES]);
      for (long at = 0; at < BLOCK_BYTES; at += Long.BYTES) {
        block.set(ValueLayout.JAVA_LONG_UNALIGNED, at, content(7, at));
      }
      assertFalse(file.isUsed(7 * STORED_BYTES));
      file.put(7 * STORED_BYTES, block, Priority.NORMAL);
      assertFalse(file.isUsed(7 * STORED_BYTES));
      fix(file, 7, fix);
      assertTrue(file.isUsed(7 * STORED_BYTES));
      assertTrue(fix.segment().isReadOnly());
      assertEquals(0, manager.stats().misses());
      assertEquals(0, manager.stats().bytesRead());
      file.put(7 * STORED_BYTES, block, Priority.NORMAL); // is there already
      assertEquals(5, manager.stats().freeFrames());
      fix.unfix();
      assertEquals(0, manager.stats().pinned());
    }
  }

  @Test
  void whatHasNoRoomIsNotPut() throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix first = new Fix();
        Fix second = new Fix()) {
      MemorySegment block = MemorySegment.ofArray(new byte[BLOCK_BYTES]);
      fix(file, 1, first);
      fix(file, 2, second);
      file.put(7 * STORED_BYTES, block, Priority.NORMAL);
      assertEquals(2, manager.stats().pinned());
      assertEquals(0, manager.stats().evictions());
      second.unfix();
      file.put(7 * STORED_BYTES, block, Priority.NORMAL);
      assertEquals(1, manager.stats().evictions());
      second.onlyCached(true);
      file.fix(7 * STORED_BYTES, STORED_BYTES, BLOCK_BYTES, second);
    }
  }

  @Test
  void memoryHasTheBlockAtItsAddress() throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix fix = new Fix()) {
      assertThrows(IllegalStateException.class, fix::memory);
      for (int number = 5; number < 7; number++) {
        fix(file, number, fix);
        MemorySegment memory = fix.memory();
        assertTrue(memory.isReadOnly());
        long start = fix.address() - memory.address();
        assertEquals(-1, fix.segment().mismatch(memory.asSlice(start, BLOCK_BYTES)));
        fix.unfix();
      }
    }
  }

  @Test
  void whatTheLoaderRefusesLeavesNoTrace() throws IOException {
    engine.flipBit(FILE, 7 * STORED_BYTES + 20);
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix fix = new Fix()) {
      assertThrows(CorruptFileException.class, () -> fix(file, 7, fix));
      assertThrows(CorruptFileException.class, () -> fix(file, BLOCKS, fix));
      assertFalse(fix.isFixed());
      assertEquals(8, manager.stats().freeFrames());
      engine.flipBit(FILE, 7 * STORED_BYTES + 20);
      fix(file, 7, fix);
    }
  }

  @Test
  void blocksMayBePacked() throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file =
            manager.openBlocks(
                FILE,
                (path, offset, stored, block) ->
                    MemorySegment.copy(stored, 0, block, 0, block.byteSize()));
        Fix whole = new Fix();
        Fix packed = new Fix()) {
      file.fix(0, 8 * STORED_BYTES, 8 * STORED_BYTES, whole);
      for (int offset : new int[] {16, 32, 500, 512, 1000, 4090}) {
        file.fix(offset, 100, 100, packed);
        assertEquals(-1, packed.segment().mismatch(whole.segment().asSlice(offset, 100)));
        assertEquals(offset, packed.number());
        packed.unfix();
      }
    }
  }

  @Test
  void badArgumentsAreRefused() throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate);
        Fix fix = new Fix()) {
      for (int[] bad :
          new int[][] {
            {0, 0, BLOCK_BYTES},
            {-512, STORED_BYTES, BLOCK_BYTES},
            {0, STORED_BYTES, 0},
            {0, STORED_BYTES, 7 * FRAME + 1}
          }) {
        assertThrows(IllegalArgumentException.class, () -> file.fix(bad[0], bad[1], bad[2], fix));
      }
      fix(file, 0, fix);
      fix.unfix();
      assertThrows(
          IllegalArgumentException.class, () -> file.fix(0, STORED_BYTES, BLOCK_BYTES - 8, fix));
    }
  }

  /** There is room for two blocks; each thread needs three frames and one more while it loads. */
  @Test
  void manyThreadsLoadInASmallPool() throws Exception {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        LoadedBlockFile file = manager.openBlocks(FILE, LoadedBlockFileTest::inflate)) {
      List<FutureTask<Void>> tasks = new ArrayList<>();
      for (int seed = 0; seed < 6; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        tasks.add(
            new FutureTask<>(
                () -> {
                  try (Fix fix = new Fix()) {
                    for (int i = 0; i < 300; i++) {
                      fix(file, random.nextInt(BLOCKS), fix);
                      fix.unfix();
                    }
                  }
                  return null;
                }));
        Thread.ofPlatform().start(tasks.getLast());
      }
      for (FutureTask<Void> task : tasks) {
        task.get();
      }
      assertTrue(manager.stats().evictions() > 100);
      assertEquals(0, manager.stats().pinned());
    }
  }
}
