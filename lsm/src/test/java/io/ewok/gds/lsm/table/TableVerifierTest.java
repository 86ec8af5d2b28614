package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No block, whatever is in it and however well its checksum fits, leads out of its bounds. */
class TableVerifierTest {
  private static final Path PATH = Path.of("/forged.table");
  private static final long NUMBER = 3;
  private static final int SCRATCH = 1 << 16;

  private final Region region =
      Region.map(MemoryBudget.root("test", 1 << 20), RegionOptions.ofSize(1 << 18));
  private final TableVerifier verifier = new TableVerifier(NUMBER);

  @AfterEach
  void unmap() {
    region.close();
  }

  /** Builds a block at the start of the region. Returns its length in bytes. */
  private int build(int type, long offset, int entries) {
    BlockBuilder builder = new BlockBuilder();
    builder.start(region.address(), SCRATCH);
    long scratch = region.address() + SCRATCH;
    for (int i = 0; i < entries; i++) {
      byte[] key = Fixtures.bytes("key%03d".formatted(i / 2));
      Memory.copyFrom(MemorySegment.ofArray(key), 0, scratch, key.length);
      long stamp = RecordKind.stamp(1_000 - i, RecordKind.PUT);
      if (type == TableFormat.TYPE_INDEX) {
        builder.addIndex(stamp, scratch, key.length, i * 4096L, 4096);
      } else {
        builder.add(stamp, scratch, key.length, scratch, i % 5);
      }
    }
    return builder.finish(type, NUMBER, offset);
  }

  private MemorySegment block(int lengthBytes) {
    return region.segment().asSlice(0, lengthBytes);
  }

  @Test
  void soundBlocksPass() throws Exception {
    verifier.verify(PATH, 8192, block(build(TableFormat.TYPE_DATA, 8192, 50)));
    verifier.verify(PATH, 50 * 4096, block(build(TableFormat.TYPE_INDEX, 50 * 4096, 50)));
    verifier.verify(PATH, 0, block(build(TableFormat.TYPE_DATA, 0, 1)));
  }

  @Test
  void blockOfAnotherPlaceOrTableIsRefused() {
    MemorySegment block = block(build(TableFormat.TYPE_DATA, 4096, 20));
    assertThrows(CorruptFileException.class, () -> verifier.verify(PATH, 0, block));
    assertThrows(
        CorruptFileException.class, () -> new TableVerifier(NUMBER + 1).verify(PATH, 4096, block));
    assertThrows(
        CorruptFileException.class, () -> verifier.verify(PATH, 4096, block.asSlice(0, 100)));
  }

  @Test
  void eachFlippedBitIsDetected() {
    int lengthBytes = build(TableFormat.TYPE_DATA, 0, 30);
    MemorySegment block = block(lengthBytes);
    for (int offset = 0; offset < lengthBytes; offset++) {
      byte sound = block.get(ValueLayout.JAVA_BYTE, offset);
      block.set(ValueLayout.JAVA_BYTE, offset, (byte) (sound ^ 1 << offset % 8));
      assertThrows(CorruptFileException.class, () -> verifier.verify(PATH, 0, block));
      block.set(ValueLayout.JAVA_BYTE, offset, sound);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {TableFormat.TYPE_DATA, TableFormat.TYPE_INDEX})
  void forgedBlockWithAGoodChecksumIsRefusedOrStaysInBounds(int type) {
    long seed = Fixtures.seed(17);
    SplittableRandom random = new SplittableRandom(seed);
    int entries = 20;
    long offset = type == TableFormat.TYPE_INDEX ? entries * 4096L : 0;
    int lengthBytes = build(type, offset, entries);
    byte[] sound = Fixtures.array(block(lengthBytes));
    int used = 20 * 40;
    int passed = 0;
    for (int round = 0; round < 60_000; round++) {
      MemorySegment block = block(lengthBytes);
      MemorySegment.copy(MemorySegment.ofArray(sound), 0, block, 0, lengthBytes);
      for (int i = random.nextInt(3); i >= 0; i--) {
        boolean inTrailer = random.nextInt(4) == 0;
        int at =
            inTrailer
                ? lengthBytes - 1 - random.nextInt(TableFormat.TRAILER_BYTES)
                : random.nextInt(used);
        block.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
      }
      long end = region.address() + lengthBytes;
      Memory.putInt(
          end - TableFormat.CHECKSUM_BACK,
          TableFormat.checksum(region.address(), lengthBytes, NUMBER, offset));
      try {
        verifier.verify(PATH, offset, block);
      } catch (CorruptFileException refused) {
        continue;
      }
      passed++;
      walk(block, Fixtures.replay(getClass(), seed) + " round=" + round);
    }
    assertTrue(passed > 100, "blocks that passed: " + passed);
  }

  private static void walk(MemorySegment block, String replay) {
    if (Memory.getInt(block.address() + block.byteSize() - TableFormat.TYPE_BACK)
        == TableFormat.TYPE_FOOTER) {
      return;
    }
    BlockView view = new BlockView();
    view.attach(block);
    long end = block.address() + block.byteSize();
    for (int i = 0; i < view.count(); i++) {
      long entry = view.entry(i);
      assertTrue(entry >= block.address(), replay);
      assertTrue(
          BlockView.valueAddress(entry) + BlockView.valueBytes(entry)
              <= end - TableFormat.TRAILER_BYTES,
          replay);
    }
    SearchKey wanted = new SearchKey().set(MemorySegment.ofArray(Fixtures.bytes("key005")));
    int found = view.findAtOrAfter(wanted, RecordKind.searchStamp(500));
    assertTrue(found >= 0 && found <= view.count(), replay);
  }
}
