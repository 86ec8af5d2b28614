package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What is exported is what is imported, and damage is told, wherever it is. */
class ExportTest {
  private static final Path NAME = Path.of("the-stream");

  /** Version 1: what it is may never change. */
  private static final String GOLDEN =
      """
      47445345585052540100000000000000\
      956fb3f7010000000700000064656661756c74\
      c8074c5602000000140000000100000003000000616f6e650000000000000000\
      78be9be80100000005000000656d707479\
      cdfcfddc01000000050000007573657273\
      a225c7a9020000000c00000001000000030000006274776f\
      e82aa05a03000000080000000300000000000000""";

  private static MemorySegment segment(String text) {
    return MemorySegment.ofArray(Fixtures.bytes(text));
  }

  private static byte[] small() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ExportWriter export = new ExportWriter(out);
    export.beginFamily(Family.DEFAULT_NAME);
    export.add(segment("a"), segment("one"));
    export.add(segment(""), segment(""));
    export.beginFamily("empty");
    export.beginFamily("users");
    export.add(segment("b"), segment("two"));
    assertEquals(3, export.finish());
    assertThrows(IllegalStateException.class, () -> export.beginFamily("more"));
    return out.toByteArray();
  }

  private static ExportReader reader(byte[] stream) throws IOException {
    return new ExportReader(new ByteArrayInputStream(stream), NAME);
  }

  /** All records, by family and key; the stream is read to its end. */
  private static Map<String, Map<String, String>> read(byte[] stream) throws IOException {
    Map<String, Map<String, String>> families = new TreeMap<>();
    ExportReader reader = reader(stream);
    while (reader.next()) {
      families
          .computeIfAbsent(reader.family(), _ -> new TreeMap<>())
          .put(
              HexFormat.of().formatHex(Fixtures.array(reader.key())),
              HexFormat.of().formatHex(Fixtures.array(reader.value())));
    }
    assertFalse(reader.next());
    reader.families().forEach(name -> families.computeIfAbsent(name, _ -> new TreeMap<>()));
    assertEquals(stream.length, reader.consumedBytes());
    return families;
  }

  @Test
  void streamIsWhatItsFormatSays() throws IOException {
    byte[] stream = small();
    assertEquals(GOLDEN, HexFormat.of().formatHex(stream));
    assertEquals(
        Map.of(
            "default", Map.of("61", "6f6e65", "", ""),
            "empty", Map.of(),
            "users", Map.of("62", "74776f")),
        read(stream));
  }

  @Test
  void storeOfAnyBytesComesBackAsItWas() throws Exception {
    SimEngine engine = new SimEngine(1);
    SplittableRandom random = new SplittableRandom(5);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Map<byte[], byte[]> expected = new TreeMap<>(Fixtures.ORDER);
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      Family named = store.createFamily("f\u00fc");
      for (int i = 0; i < 2000; i++) {
        byte[] key = Fixtures.randomBytes(random, random.nextInt(12));
        byte[] value = Fixtures.randomBytes(random, random.nextInt(i % 100 == 0 ? 100_000 : 300));
        store.put(key, value, Durability.NONE);
        named.put(value.length > 100 ? key : value, key, Durability.NONE);
        expected.put(key, value);
      }
      ExportWriter export = new ExportWriter(out);
      assertEquals(expected.size(), export.add(store.name(), store));
      assertTrue(export.add("named", named) > 0);
      long unused = export.finish();
      try (Store copy = Store.open(Path.of("/copy"), Fixtures.TINY, engine)) {
        ExportReader reader = reader(out.toByteArray());
        SortedIngest ingest = null;
        String family = null;
        while (reader.next()) {
          if (!reader.family().equals(family)) {
            if (ingest != null) {
              assertTrue(ingest.commit() > 0);
              ingest.close();
            }
            family = reader.family();
            ingest =
                family.equals(Family.DEFAULT_NAME)
                    ? copy.ingest()
                    : copy.createFamily(family).ingest();
          }
          ingest.put(reader.key(), reader.value());
        }
        assertNotNull(ingest);
        assertTrue(ingest.commit() > 0);
        ingest.close();
        assertEquals(
            Fixtures.text(Fixtures.contents(store)), Fixtures.text(Fixtures.contents(copy)));
        assertEquals(
            Fixtures.text(Fixtures.contents(named)),
            Fixtures.text(Fixtures.contents(copy.family("named").orElseThrow())));
      }
    }
  }

  @Test
  void everyByteCounts() throws IOException {
    byte[] stream = small();
    for (int at = 0; at < stream.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] damaged = stream.clone();
        damaged[at] ^= (byte) (1 << bit);
        StorageException e = assertThrows(StorageException.class, () -> read(damaged), "at=" + at);
        assertTrue(e instanceof CorruptFileException || e instanceof UnsupportedFormatException);
        assertTrue(e.getMessage().contains("the-stream"), e.getMessage());
      }
    }
  }

  @Test
  void streamThatIsCutOffOrHasMoreIsTold() throws IOException {
    byte[] stream = small();
    for (int length = 0; length < stream.length; length++) {
      byte[] cut = Arrays.copyOf(stream, length);
      assertThrows(CorruptFileException.class, () -> read(cut));
    }
    byte[] more = Arrays.copyOf(stream, stream.length + 1);
    assertThrows(CorruptFileException.class, () -> read(more));
  }

  @Test
  void forgedFramesAreRefused() throws IOException {
    byte[] header = ExportFormat.header();
    byte[] family = Fixtures.bytes("default");
    byte[] record = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putInt(2).array();
    byte[] none = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0).array();
    byte[] some = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(1).array();
    byte[] negative = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(-1).array();
    byte[] large =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(1).putInt(1 << 30).array();
    assertEquals(Map.of(), read(forged(header, List.of(3), List.of(none))));
    refuse(header, List.of(2, 3), List.of(record, some)); // of no family
    refuse(header, List.of(1, 1, 3), List.of(family, family, none)); // twice
    refuse(header, List.of(1, 3), List.of(new byte[] {(byte) 0xC3}, none)); // not UTF-8
    refuse(header, List.of(1, 3), List.of(new byte[256], none));
    refuse(header, List.of(1, 2, 3), List.of(family, negative, some));
    refuse(header, List.of(1, 2, 3), List.of(family, large, some));
    refuse(header, List.of(1, 2, 3), List.of(family, new byte[7], some));
    refuse(header, List.of(1, 3), List.of(family, some)); // another number
    refuse(header, List.of(1, 3), List.of(family, new byte[9]));
    refuse(header, List.of(1, 4, 3), List.of(family, none, none)); // another type
    refuse(header, List.of(1), List.of(family)); // no end
  }

  private static void refuse(byte[] header, List<Integer> types, List<byte[]> bodies) {
    assertThrows(CorruptFileException.class, () -> read(forged(header, types, bodies)));
  }

  /** A stream with right checksums. */
  private static byte[] forged(byte[] header, List<Integer> types, List<byte[]> bodies)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(header);
    for (int i = 0; i < types.size(); i++) {
      int bytes = ExportFormat.FRAME_HEADER_BYTES + bodies.get(i).length;
      ByteBuffer frame = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
      frame.putInt(ExportFormat.TYPE_OFFSET, types.get(i));
      frame.putInt(ExportFormat.LENGTH_OFFSET, bodies.get(i).length);
      frame.put(ExportFormat.FRAME_HEADER_BYTES, bodies.get(i));
      frame.putInt(
          ExportFormat.CHECKSUM_OFFSET, ExportFormat.checksum(frame.array(), bytes, out.size()));
      out.write(frame.array());
    }
    return out.toByteArray();
  }

  @Test
  void mistakesAreTold() throws IOException {
    ExportWriter export = new ExportWriter(new ByteArrayOutputStream());
    assertThrows(IllegalStateException.class, () -> export.add(segment("a"), segment("b")));
    export.beginFamily("one");
    assertThrows(IllegalArgumentException.class, () -> export.beginFamily("one"));
    assertThrows(IllegalArgumentException.class, () -> export.beginFamily(""));
  }
}
