package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the kernel says is resident in the regions of an arena. */
class ReadArenaFootprintTest {
  private static final long PAGE = 4096;
  private static final long BLOCK = ReadArena.BLOCK_BYTES;
  private static final long MIN = 24 * BLOCK;
  private static final long MAX = 40 * BLOCK;

  private final MemoryBudget core = MemoryBudget.root("core", 64L << 20);

  /**
   * Pages of the arena's regions that are present. By page, because the kernel counts by mapping,
   * and makes one mapping of neighbours.
   */
  private static long residentBytes(ReadArena arena) throws IOException {
    long pages = 0;
    try (FileChannel pagemap = FileChannel.open(Path.of("/proc/self/pagemap"))) {
      for (Region region : arena.regions()) {
        int count = Math.toIntExact(region.sizeBytes() / PAGE);
        ByteBuffer entries = ByteBuffer.allocate(count * Long.BYTES).order(ByteOrder.nativeOrder());
        assertEquals(
            entries.capacity(), pagemap.read(entries, region.address() / PAGE * Long.BYTES));
        for (int page = 0; page < count; page++) {
          pages += entries.getLong(page * Long.BYTES) >>> (Long.SIZE - 1);
        }
      }
    }
    return pages * PAGE;
  }

  @Test
  void residentMemoryRisesToTheMaximumAndFallsToTheMinimum() throws IOException {
    long seed = 12;
    Random random = new Random(seed);
    try (ReadArena arena = new ReadArena(core, ReadArenaOptions.ofBytes(MIN, MAX))) {
      assertEquals(0, residentBytes(arena));
      List<Long> handles = new ArrayList<>();
      long touched = 0;
      while (true) {
        long handle = arena.allocate(random.nextBoolean() ? 512 : 4096, 1 + random.nextInt(2));
        if (handle == ReadArena.NONE) {
          break;
        }
        arena.segment(handle).fill((byte) 1);
        touched += arena.segment(handle).byteSize();
        handles.add(handle);
      }
      long full = residentBytes(arena);
      assertTrue(full <= MAX && full >= touched, "resident=" + full + " touched=" + touched);
      assertTrue(full > MAX - 3 * BLOCK, "resident=" + full);
      assertEquals(MAX, core.usedBytes());

      // Half of it goes, in no order: what is left is bounded by what serves something.
      Collections.shuffle(handles, random);
      List<Long> kept = handles.subList(0, 10);
      handles.subList(10, handles.size()).forEach(arena::release);
      long most = Math.max(MIN, 10 * BLOCK * 9 / 8);
      assertTrue(residentBytes(arena) <= most, "resident=" + residentBytes(arena));
      assertTrue(arena.committedBytes() <= most, arena.toString());

      kept.forEach(arena::release);
      assertTrue(residentBytes(arena) <= MIN, "resident=" + residentBytes(arena));
      assertEquals(MIN, arena.committedBytes());
      assertEquals(MIN, core.usedBytes());
    }
    assertEquals(0, core.usedBytes());
  }

  @Test
  void residentMemoryStaysInItsLimitsOverManyWaves() throws IOException {
    try (ReadArena arena = new ReadArena(core, ReadArenaOptions.ofBytes(MIN, MAX))) {
      for (int wave = 0; wave < 5; wave++) {
        List<Long> handles = new ArrayList<>();
        int pageBytes = wave % 2 == 0 ? 4096 : 512;
        for (long handle = arena.allocate(pageBytes, 2);
            handle != ReadArena.NONE;
            handle = arena.allocate(pageBytes, 2)) {
          arena.segment(handle).fill((byte) wave);
          handles.add(handle);
        }
        assertEquals(MAX, handles.size() * 2L * pageBytes, "every page is issued");
        assertEquals(MAX, residentBytes(arena));
        handles.forEach(arena::release);
        assertEquals(MIN, residentBytes(arena));
      }
    }
  }

  @Test
  void nothingIsLeftOfAnArenaWithoutMinimum() throws IOException {
    try (ReadArena arena = new ReadArena(core, ReadArenaOptions.ofBytes(0, MAX))) {
      long handle = arena.allocate(4096, 4);
      arena.segment(handle).fill((byte) 1);
      assertEquals(4 * 4096, residentBytes(arena));
      arena.release(handle);
      assertEquals(0, residentBytes(arena));
    }
  }
}
