package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several blocks of a file at once, and optimistic looks at them, for both kinds of block file. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class BlockBatchTest {
  private static final Path FILE = Path.of("/blocks");
  private static final int FRAME = 4096;
  private static final int FRAMES = 64;
  private static final int STORED = 1024;
  private static final int BLOCKS = 100;
  private static final BufferOptions OPTIONS =
      new BufferOptions(FRAMES * FRAME, FRAME, null).withEviction(EvictionKind.CLOCK);

  @TempDir Path temporary;

  private final SimEngine engine = new SimEngine(1);

  /** On which threads blocks were verified. */
  private final Set<Thread> verifiers = ConcurrentHashMap.newKeySet();

  /** As they are stored, or with a frame of zeros behind. */
  enum Form {
    PLAIN,
    LOADED;

    int lengthBytes() {
      return this == PLAIN ? STORED : STORED + FRAME;
    }

    /** What one takes in the pool, and one more while it is loaded. */
    int frames() {
      return this == PLAIN ? 1 : 2;
    }
  }

  private final class Blocks implements AutoCloseable {
    final Form form;
    final BufferManager manager;
    private final BlockFile file;

    Blocks(Form form, IoEngine engine, Path path) throws IOException {
      this.form = form;
      this.manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
      this.file = open(path);
    }

    BlockFile open(Path path) throws IOException {
      if (form == Form.PLAIN) {
        return manager.openBlocks(path, this::verify);
      }
      BlockLoader loader =
          (from, offset, stored, block) -> {
            verify(from, offset, stored);
            block.fill((byte) 0).copyFrom(stored);
          };
      return manager.openBlocks(path, loader);
    }

    private void verify(Path path, long offset, MemorySegment block) throws CorruptFileException {
      verifiers.add(Thread.currentThread());
      BufferFixture.verifyBlock(path, offset, block);
    }

    void fix(int block, Fix into) throws IOException {
      fixAll(new Fix[] {into}, block);
    }

    void fixAll(Fix[] into, int... blocks) throws IOException {
      long[] offsets = offsets(blocks);
      switch (file) {
        case CachedBlockFile plain -> plain.fix(offsets, lengths(), blocks.length, into);
        case LoadedBlockFile loaded ->
            loaded.fix(offsets, stored(), lengths(), blocks.length, into);
      }
    }

    void prefetch(int... blocks) {
      long[] offsets = offsets(blocks);
      switch (file) {
        case CachedBlockFile plain ->
            plain.prefetch(offsets, lengths(), blocks.length, Priority.NORMAL);
        case LoadedBlockFile loaded ->
            loaded.prefetch(offsets, stored(), lengths(), blocks.length, Priority.NORMAL);
      }
    }

    void look(int block, int more, Fix into) throws IOException {
      long offset = (long) block * STORED;
      int length = form.lengthBytes() + more;
      switch (file) {
        case CachedBlockFile plain -> plain.fixOptimistic(offset, length, into);
        case LoadedBlockFile loaded -> loaded.fixOptimistic(offset, STORED, length, into);
      }
    }

    private int[] stored() {
      int[] stored = new int[BLOCKS];
      Arrays.fill(stored, STORED);
      return stored;
    }

    private int[] lengths() {
      int[] lengths = new int[BLOCKS];
      Arrays.fill(lengths, form.lengthBytes());
      return lengths;
    }

    @Override
    public void close() throws IOException {
      manager.close();
    }
  }

  private static long[] offsets(int... blocks) {
    return Arrays.stream(blocks).mapToLong(block -> (long) block * STORED).toArray();
  }

  private static int[] range(int from, int count) {
    int[] blocks = new int[count];
    Arrays.setAll(blocks, i -> from + i);
    return blocks;
  }

  private static Fix[] fixes(int count) {
    return Stream.generate(Fix::new).limit(count).toArray(Fix[]::new);
  }

  private static void assertHolds(int block, Fix fix) {
    assertEquals(
        (long) block * STORED, fix.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 0), "block");
  }

  private Blocks blocks(Form form) throws IOException {
    BufferFixture.writeBlocks(engine, FILE, BLOCKS * STORED / BufferFixture.UNIT);
    return new Blocks(form, engine, FILE);
  }

  @ParameterizedTest
  @EnumSource
  void whatWasPrefetchedNeedsNoRead(Form form) throws IOException {
    try (Blocks blocks = blocks(form);
        Fix fix = new Fix()) {
      blocks.prefetch(3, 1, 7, 3);
      assertEquals(3, blocks.manager.stats().misses());
      assertEquals(3 * STORED, blocks.manager.stats().bytesRead());
      assertEquals(FRAMES - 3 * form.frames(), blocks.manager.stats().freeFrames());
      long reads = engine.stats().reads();
      for (int block : new int[] {1, 3, 7}) {
        blocks.fix(block, fix);
        assertHolds(block, fix);
        assertEquals(form.lengthBytes(), fix.segment().byteSize());
        fix.unfix();
      }
      assertEquals(reads, engine.stats().reads());
      assertEquals(3, blocks.manager.stats().misses());
    }
  }

  @Test
  void blocksOfSeveralFilesAreReadTogether() throws IOException {
    Path second = Path.of("/second");
    BufferFixture.writeBlocks(engine, second, BLOCKS * STORED / BufferFixture.UNIT);
    try (Blocks blocks = blocks(Form.LOADED);
        LoadedBlockFile other = (LoadedBlockFile) blocks.open(second);
        Blocks elsewhere = new Blocks(Form.LOADED, engine, FILE);
        Fix fix = new Fix()) {
      BlockPrefetch prefetch = new BlockPrefetch();
      assertEquals(0, prefetch.start(Priority.NORMAL));
      LoadedBlockFile first = (LoadedBlockFile) blocks.file;
      int length = Form.LOADED.lengthBytes();
      blocks.fix(2, fix);
      fix.unfix();
      for (int i = 1; i <= 3; i++) {
        assertEquals(i != 2, prefetch.add(first, (long) i * STORED, STORED, length));
        assertTrue(prefetch.add(other, (long) i * STORED, STORED, length));
      }
      LoadedBlockFile foreign = (LoadedBlockFile) elsewhere.file;
      assertThrows(IllegalArgumentException.class, () -> prefetch.add(foreign, 0, STORED, length));
      assertThrows(IllegalArgumentException.class, () -> prefetch.add(first, -1, STORED, length));
      assertThrows(IllegalArgumentException.class, () -> prefetch.add(first, 0, 0, length));
      assertThrows(IllegalArgumentException.class, () -> prefetch.add(first, 0, STORED, 0));
      assertEquals(5, prefetch.count());
      blocks.fix(3, fix);
      fix.unfix();
      assertEquals(4, prefetch.start(Priority.NORMAL), "one is there by now");
      assertEquals(0, prefetch.count());
      long reads = engine.stats().reads();
      for (int i = 1; i <= 3; i++) {
        for (LoadedBlockFile file : new LoadedBlockFile[] {first, other}) {
          file.fix((long) i * STORED, STORED, length, fix);
          assertHolds(i, fix);
          fix.unfix();
        }
      }
      assertEquals(reads, engine.stats().reads());
      assertTrue(prefetch.add(foreign, 0, STORED, length), "nothing is collected");
      assertEquals(1, prefetch.start(Priority.LOW));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBatchIsFixedTogether(Form form) throws IOException {
    try (Blocks blocks = blocks(form)) {
      int[] wanted = {7, 3, 50, 7, 20};
      Fix[] fixes = fixes(wanted.length);
      blocks.fixAll(fixes, wanted);
      for (int i = 0; i < wanted.length; i++) {
        assertHolds(wanted[i], fixes[i]);
      }
      assertEquals(4, blocks.manager.stats().pinned());
      assertEquals(4, blocks.manager.stats().misses());
      assertThrows(IllegalStateException.class, blocks.file::close);
      Arrays.stream(fixes).forEach(Fix::close);
      assertThrows(IndexOutOfBoundsException.class, () -> blocks.fixAll(fixes, range(1, 6)));
      assertThrows(IllegalArgumentException.class, () -> blocks.fixAll(fixes, 1, -1));
      assertThrows(IllegalArgumentException.class, () -> blocks.prefetch(1, -1));
      assertEquals(0, blocks.manager.stats().pinned());
      blocks.file.close();
      assertThrows(IllegalStateException.class, () -> blocks.fixAll(fixes, 1, 2));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBatchLargerThanItsPartOfThePoolIsFixedToo(Form form) throws IOException {
    try (Blocks blocks = blocks(form)) {
      int[] wanted = range(10, FRAMES / form.frames() / 2);
      Fix[] fixes = fixes(wanted.length);
      blocks.fixAll(fixes, wanted);
      for (int i = 0; i < wanted.length; i++) {
        assertHolds(wanted[i], fixes[i]);
        fixes[i].close();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBatchWithABadBlockFixesNothing(Form form) throws IOException {
    try (Blocks blocks = blocks(form)) {
      engine.flipBit(FILE, 5L * STORED + 3);
      Fix[] fixes = fixes(8);
      assertThrows(CorruptFileException.class, () -> blocks.fixAll(fixes, range(1, 8)));
      assertThrows(CorruptFileException.class, () -> blocks.fixAll(fixes, 1, BLOCKS));
      for (Fix fix : fixes) {
        assertFalse(fix.isFixed());
      }
      assertEquals(0, blocks.manager.stats().pinned());
      assertEquals(
          FRAMES - 7 * form.frames(), blocks.manager.stats().freeFrames(), "all but the bad");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPrefetchThatFailsLeavesNoTrace(Form form) throws IOException {
    try (Blocks blocks = blocks(form);
        Fix fix = new Fix()) {
      engine.flipBit(FILE, 3);
      engine.failNth(SimOperation.READ, 2, Errno.EIO);
      blocks.prefetch(0, 1, BLOCKS);
      assertEquals(FRAMES, blocks.manager.stats().freeFrames());
      blocks.fix(1, fix);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPrefetchTakesAPartOfThePoolAndNothingThatIsFixed(Form form) throws IOException {
    try (Blocks blocks = blocks(form)) {
      blocks.prefetch(range(0, FRAMES / 2));
      assertEquals(FRAMES / 4 / form.frames(), blocks.manager.stats().misses());
    }
    try (Blocks blocks = new Blocks(form, engine, FILE);
        CachedBlockFile other = blocks.manager.openBlocks(FILE, BufferFixture::verifyBlock)) {
      Fix[] fixes = fixes(FRAMES - 2);
      for (int i = 0; i < fixes.length; i++) {
        other.fix((long) i * STORED, STORED, fixes[i]);
      }
      // Each has room as it lies in the pool, but not with what it is made of.
      blocks.prefetch(BLOCKS - 1);
      assertEquals(form == Form.PLAIN ? 1 : 2, blocks.manager.stats().freeFrames());
      blocks.prefetch(range(0, 10));
      assertEquals(form == Form.PLAIN ? 0 : 2, blocks.manager.stats().freeFrames());
      for (int i = 0; i < fixes.length; i++) {
        assertHolds(i, fixes[i]);
        fixes[i].close();
      }
    }
  }

  /** Else what takes long, making a block, would be done where all reads end. */
  @ParameterizedTest
  @EnumSource
  void whoWaitsForABatchVerifiesIt(Form form) throws IOException {
    Path path = temporary.resolve("blocks");
    try (IoEngine pool = IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL))) {
      BufferFixture.writeBlocks(pool, path, BLOCKS * STORED / BufferFixture.UNIT);
      try (Blocks blocks = new Blocks(form, pool, path)) {
        Fix[] fixes = fixes(10);
        blocks.fixAll(fixes, Arrays.stream(range(0, 10)).map(i -> i * 4).toArray());
        Arrays.stream(fixes).forEach(Fix::close);
        assertEquals(10, blocks.manager.stats().misses());
        assertEquals(Set.of(Thread.currentThread()), verifiers);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBlockCanBeLookedAt(Form form) throws IOException {
    try (Blocks blocks = blocks(form);
        Fix look = new Fix();
        Fix other = new Fix()) {
      for (int i = 0; i < 2; i++) { // not in the pool, then in it
        blocks.look(3, 0, look);
        assertHolds(3, look);
        assertEquals(form.lengthBytes(), look.segment().byteSize());
        assertEquals(0, blocks.manager.stats().pinned());
        blocks.fix(3, other);
        other.unfix();
        assertTrue(look.validate());
        look.unfix();
      }
      assertEquals(1, blocks.manager.stats().misses());
      assertThrows(IllegalArgumentException.class, () -> blocks.look(3, 512, look));
      assertThrows(IllegalArgumentException.class, () -> blocks.look(-1, 0, look));
      blocks.look(3, 0, look);
      for (int i = 0; i < 10 * BLOCKS; i++) {
        blocks.fix(4 + i % (BLOCKS - 4), other);
        other.unfix();
      }
      assertFalse(look.validate());
      look.unfix();
      blocks.file.close();
      assertThrows(IllegalStateException.class, () -> blocks.look(4, 0, look));
    }
  }
}
