package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.record.KeyHash;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What is on the device of a sharded store besides its stores, and which keys are whose. */
class ShardedFormatsTest {
  private static final Path PATH = Path.of("/store/SHARDS");

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void theListOfShardsHasTheBytesThatItsFormatSays() throws Exception {
    ShardsFormat.Content hash = new ShardsFormat.Content(true, 3, Partitioning.hash());
    assertEquals("02000000" + "03000000" + "01000000", hex(ShardsFormat.encode(hash)));
    ShardsFormat.Content ranges =
        new ShardsFormat.Content(
            false, 3, Partitioning.ranges(List.of(Fixtures.bytes("g"), Fixtures.bytes("pq"))));
    assertEquals(
        "01000000" + "03000000" + "02000000" + "0100000067" + "020000007071",
        hex(ShardsFormat.encode(ranges)));
    for (ShardsFormat.Content content : List.of(hash, ranges)) {
      assertEquals(content, ShardsFormat.decode(PATH, ShardsFormat.encode(content)));
    }
  }

  @Test
  void aListOfShardsThatIsNoneIsCorrupt() {
    for (String bad :
        List.of(
            "",
            "00000000" + "03000000" + "01000000", // no state
            "02000000" + "00000000" + "01000000", // no shards
            "02000000" + "01010000" + "01000000", // too many
            "02000000" + "03000000" + "03000000", // no kind
            "02000000" + "03000000" + "0100000000", // something behind the end
            "02000000" + "02000000" + "02000000", // no split key
            "02000000" + "02000000" + "02000000" + "ffffffff", // a negative length
            "02000000" + "03000000" + "02000000" + "0100000067" + "0100000067")) { // twice
      byte[] payload = HexFormat.of().parseHex(bad);
      assertThrows(CorruptFileException.class, () -> ShardsFormat.decode(PATH, payload), bad);
    }
  }

  private static SequenceFormat.Content epoch() {
    return new SequenceFormat.Content(
        5,
        7,
        List.of(
            Operation.put(0, Fixtures.bytes("ab"), Fixtures.bytes("c")),
            Operation.delete(258, Fixtures.bytes("d")),
            Operation.merge(1, Fixtures.bytes(""), Fixtures.bytes("e"))));
  }

  @Test
  void anEpochHasTheBytesThatItsFormatSays() throws Exception {
    byte[] record = SequenceFormat.encode(epoch());
    assertEquals(
        "01000000"
            + "03000000"
            + "0500000000000000"
            + "0700000000000000"
            + "0000"
            + "0100"
            + "02000000"
            + "01000000"
            + "6162"
            + "63"
            + "0201"
            + "0200"
            + "01000000"
            + "00000000"
            + "64"
            + "0100"
            + "0400"
            + "00000000"
            + "01000000"
            + "65",
        hex(record));
    SequenceFormat.Content found = SequenceFormat.decode(PATH, 0, ByteBuffer.wrap(record), 259);
    assertEquals(5, found.first());
    assertEquals(7, found.last());
    for (int i = 0; i < 3; i++) {
      Operation expected = epoch().operations().get(i);
      Operation operation = found.operations().get(i);
      assertEquals(expected.shard(), operation.shard());
      assertEquals(expected.kind(), operation.kind());
      assertArrayEquals(expected.key(), operation.key());
      assertArrayEquals(expected.value(), operation.value());
    }
  }

  /**
   * Whatever byte is another one, it is refused or read as something that could have been written.
   */
  @Test
  void anEpochThatWasChangedIsRefusedOrRead() {
    byte[] record = SequenceFormat.encode(epoch());
    int refused = 0;
    for (int at = 0; at < record.length; at++) {
      for (int bit = 0; bit < Byte.SIZE; bit++) {
        byte[] changed = record.clone();
        changed[at] ^= (byte) (1 << bit);
        try {
          SequenceFormat.Content unused =
              SequenceFormat.decode(PATH, 0, ByteBuffer.wrap(changed), 259);
        } catch (StorageException e) {
          refused++;
        }
      }
    }
    assertTrue(refused > record.length, "refused: " + refused);
    for (int length = 0; length < record.length; length++) {
      ByteBuffer cut = ByteBuffer.wrap(record, 0, length).slice();
      assertThrows(CorruptFileException.class, () -> SequenceFormat.decode(PATH, 0, cut, 259));
    }
    assertThrows(
        CorruptFileException.class,
        () -> SequenceFormat.decode(PATH, 0, ByteBuffer.wrap(record), 258));
  }

  /** It is no damage: a newer program reads it. */
  @Test
  void anEpochOfANewerProgramIsSaidToBeThat() {
    byte[] record = SequenceFormat.encode(epoch());
    record[0] = 2;
    UnsupportedFormatException e =
        assertThrows(
            UnsupportedFormatException.class,
            () -> SequenceFormat.decode(PATH, 0, ByteBuffer.wrap(record), 259));
    assertEquals(2, e.found());
    record[0] = 0;
    assertThrows(
        CorruptFileException.class,
        () -> SequenceFormat.decode(PATH, 0, ByteBuffer.wrap(record), 259));
  }

  @Test
  void theHashOfASegmentIsThatOfItsBytes() {
    SplittableRandom random = new SplittableRandom(1);
    try (Arena arena = Arena.ofConfined()) {
      for (int length = 0; length < 100; length++) {
        byte[] bytes = Fixtures.randomBytes(random, length);
        MemorySegment off = arena.allocate(Math.max(1, length));
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, off, 0, length);
        long expected = KeyHash.of(off.address(), length);
        assertEquals(expected, KeyHash.of(MemorySegment.ofArray(bytes)), "length=" + length);
        assertEquals(expected, KeyHash.of(off.asSlice(0, length)), "length=" + length);
      }
    }
  }

  /** Of keys as they were assigned when the first store was written: it never changes. */
  @Test
  void keysStayWhereTheyAre() {
    ShardMap byHash = new ShardMap(Partitioning.hash(), 16);
    StringBuilder shards = new StringBuilder();
    for (int i = 0; i < 24; i++) {
      MemorySegment key = MemorySegment.ofArray(Fixtures.bytes("key " + i));
      shards.append(Integer.toHexString(byHash.shardOf(key, ShardMap.hash(key))));
    }
    assertEquals("5bb30bd57b38063f8fb17853", shards.toString());
    ShardMap byRanges =
        new ShardMap(Partitioning.ranges(List.of(Fixtures.bytes("g"), Fixtures.bytes("pq"))), 3);
    Map<String, Integer> expected =
        Map.of("", 0, "f\u007f", 0, "g", 1, "ga", 1, "p", 1, "pq", 2, "pq0", 2, "z", 2);
    expected.forEach(
        (text, shard) -> {
          MemorySegment key = MemorySegment.ofArray(Fixtures.bytes(text));
          assertEquals(shard, byRanges.shardOf(key, ShardMap.hash(key)), text);
        });
  }

  /** Numbered keys, which differ in few bits, are spread evenly, and over stripes, too. */
  @Test
  void hashesSpreadKeysEvenly() {
    int count = 7;
    int keys = 70_000;
    ShardMap map = new ShardMap(Partitioning.hash(), count);
    int[] found = new int[count];
    int[] stripes = new int[KeyGuards.STRIPES];
    MemorySegment key = MemorySegment.ofArray(new byte[Long.BYTES]);
    for (int i = 0; i < keys; i++) {
      key.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, Long.reverseBytes(i));
      long hash = ShardMap.hash(key);
      int shard = map.shardOf(key, hash);
      found[shard]++;
      if (shard == 0) {
        stripes[KeyGuards.stripe(hash)]++;
      }
    }
    for (int each : found) {
      assertEquals(10_000, each, 500);
    }
    int used = 0;
    for (int each : stripes) {
      used += each > 0 ? 1 : 0;
      assertTrue(each < 20, "keys of a stripe: " + each);
    }
    assertTrue(used > KeyGuards.STRIPES * 0.85, "stripes used: " + used);
  }

  @Test
  void settingsSayHowManyShardsThereAre() {
    ShardedOptions options =
        ShardedOptions.defaults()
            .with(
                Map.of(
                    "shards.count",
                    "3",
                    "shards.splits",
                    "67, 7071",
                    "store.pool",
                    "2M",
                    "store.batch-max",
                    "128K"));
    assertEquals(3, options.count());
    assertEquals(
        Partitioning.ranges(List.of(Fixtures.bytes("g"), Fixtures.bytes("pq"))),
        options.partitioning());
    assertEquals(2 << 20, options.store().poolBytes());
    assertTrue(options.with(Map.of("shards.splits", "none")).partitioning().isHash());
    assertTrue(options.with(Map.of("shards.background", "owner")).ownersCompact());
    for (Map<String, String> bad :
        List.of(
            Map.of("shards.count", "0"),
            Map.of("shards.count", "257"),
            Map.of("shards.cuont", "2"),
            Map.of("shards.background", "both"),
            Map.of("shards.splits", "67"),
            Map.of("shards.count", "3", "shards.splits", "70,67"),
            Map.of("shards.count", "2", "shards.splits", "xy"))) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> ShardedOptions.defaults().with(bad));
      assertTrue(e.getMessage().contains("="), e.getMessage());
    }
  }
}
