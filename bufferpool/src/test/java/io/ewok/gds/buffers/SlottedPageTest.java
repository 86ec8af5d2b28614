package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SlottedPageTest {
  private static final PageSize SMALL = PageSize.BYTES_512;

  /** The golden files were written by another program. */
  @ParameterizedTest
  @EnumSource(PageSize.class)
  void thePageIsGolden(PageSize size) throws IOException {
    MemorySegment page = empty(size);
    SlottedPage.reserveSpecial(page, 8);
    page.asSlice(size.bytes() - 8).copyFrom(tuple(9, 8));
    for (int i = 0; i < 5; i++) {
      assertEquals(i, SlottedPage.insert(page, tuple(i, i == 2 ? size.bytes() / 8 : 10 + i)));
    }
    SlottedPage.delete(page, 1);
    assertTrue(SlottedPage.update(page, 3, tuple(33, 20)));
    assertTrue(SlottedPage.update(page, 4, tuple(44, 6)));
    SlottedPage.noteXmax(page, 700 + size.code());
    PageFormat.setLsn(page, 0x1122_3344_5566_7788L);
    PageFormat.seal(page, size, size.code() + 1L);
    assertArrayEquals(golden(size), bytes(page));
  }

  @ParameterizedTest
  @EnumSource(PageSize.class)
  void aGoldenPageIsRead(PageSize size) throws IOException {
    MemorySegment page = MemorySegment.ofArray(golden(size));
    PageFormat.verify(page, size, size.code() + 1L, Path.of("golden"));
    SlottedPage.check(page);
    assertArrayEquals(bytes(tuple(0, 10)), bytes(SlottedPage.readOrNull(page, 0)));
    assertNull(SlottedPage.readOrNull(page, 1));
    assertArrayEquals(bytes(tuple(2, size.bytes() / 8)), bytes(SlottedPage.readOrNull(page, 2)));
    assertArrayEquals(bytes(tuple(33, 20)), bytes(SlottedPage.readOrNull(page, 3)));
    assertArrayEquals(bytes(tuple(44, 6)), bytes(SlottedPage.readOrNull(page, 4)));
    assertEquals(2, SlottedPage.next(page, 1));
    assertEquals(SlottedPage.NO_SLOT, SlottedPage.next(page, 5));
  }

  @ParameterizedTest
  @EnumSource(PageSize.class)
  void allFreeBytesCanBeUsed(PageSize size) {
    MemorySegment page = empty(size);
    int largest = size.bytes() - PageFormat.HEADER_BYTES - ItemPointers.BYTES;
    assertEquals(SlottedPage.NO_ROOM, SlottedPage.insert(page, tuple(1, largest + 1)));
    assertEquals(0, SlottedPage.insert(page, tuple(1, largest)));
    assertEquals(0, SlottedPage.freeBytes(page));
    assertEquals(SlottedPage.NO_ROOM, SlottedPage.insert(page, tuple(1, 1)));
    SlottedPage.delete(page, 0);
    assertEquals(size.bytes() - PageFormat.HEADER_BYTES, SlottedPage.freeBytes(page));
    assertEquals(size.bytes(), PageFormat.upper(page));
  }

  @Test
  void whatFindsNoRoomChangesNothing() {
    MemorySegment page = filled();
    SlottedPage.delete(page, 3);
    byte[] before = bytes(page);
    assertEquals(SlottedPage.NO_ROOM, SlottedPage.insert(page, tuple(1, 200)));
    assertFalse(SlottedPage.insertAt(page, 2, tuple(1, 200)));
    assertFalse(SlottedPage.update(page, 2, tuple(1, 200)));
    assertEquals(SlottedPage.NO_ROOM, SlottedPage.insert(page, tuple(1, 100_000)));
    assertFalse(SlottedPage.update(page, 2, tuple(1, 100_000)));
    assertArrayEquals(before, bytes(page));
  }

  @Test
  void holesAreUsedByMovingTuplesTogether() {
    MemorySegment page = filled();
    SlottedPage.delete(page, 2);
    SlottedPage.delete(page, 4);
    MemorySegment wide = tuple(77, 90);
    assertTrue(PageSpace.betweenBounds(page) < 90);
    assertEquals(2, SlottedPage.insert(page, wide));
    assertArrayEquals(bytes(wide), bytes(SlottedPage.readOrNull(page, 2)));
    assertArrayEquals(bytes(tuple(5, 50)), bytes(SlottedPage.readOrNull(page, 5)));
    SlottedPage.check(page);
  }

  @Test
  void aTupleOfThePageItselfMayBeInsertedOrReplaceAnother() {
    for (boolean insert : new boolean[] {true, false}) {
      MemorySegment page = filled();
      SlottedPage.delete(page, 1);
      SlottedPage.delete(page, 3);
      MemorySegment wide = page.asSlice(SlottedPage.offset(page, 6), 70);
      assertTrue(PageSpace.betweenBounds(page) < 70, "it moves");
      byte[] expected = bytes(wide);
      int slot = insert ? SlottedPage.insert(page, wide) : 6;
      assertTrue(insert || SlottedPage.update(page, slot, wide));
      assertArrayEquals(expected, bytes(SlottedPage.readOrNull(page, slot)));
    }
  }

  @Test
  void unusedSlotsAreLookedForOnlyWhereThereMayBeSome() {
    MemorySegment page = empty(SMALL);
    SlottedPage.insert(page, tuple(1, 9));
    SlottedPage.insert(page, tuple(2, 9));
    assertEquals(0, PageFormat.flags(page));
    SlottedPage.delete(page, 0);
    assertEquals(PageFormat.FLAG_UNUSED_ITEMS, PageFormat.flags(page));
    assertEquals(0, SlottedPage.insert(page, tuple(3, 9)));
    assertEquals(2, SlottedPage.insert(page, tuple(4, 9)));
    assertEquals(0, PageFormat.flags(page));
  }

  @Test
  void freedBytesAreZeroUnlessThePageKeepsThem() {
    for (int flags : new int[] {0, PageFormat.FLAG_KEEPS_FREED}) {
      MemorySegment page = empty(SMALL);
      PageFormat.setFlags(page, flags);
      for (int i = 0; i < 3; i++) {
        SlottedPage.insert(page, MemorySegment.ofArray("secret".getBytes(StandardCharsets.UTF_8)));
      }
      MemorySegment other = MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7});
      SlottedPage.delete(page, 0);
      SlottedPage.update(page, 1, other.asSlice(0, 1));
      SlottedPage.update(page, 2, other);
      boolean kept = new String(bytes(page), StandardCharsets.ISO_8859_1).contains("ecre");
      assertEquals(flags != 0, kept);
      SlottedPage.compact(page);
      SlottedPage.check(page);
    }
  }

  @Test
  void orderedSlotsShift() {
    MemorySegment page = empty(SMALL);
    for (int i : new int[] {5, 1, 3, 4, 2}) {
      int at = 0;
      while (at < SlottedPage.itemCount(page) && SlottedPage.length(page, at) < i) {
        at++;
      }
      assertTrue(SlottedPage.insertAt(page, at, tuple(i, i)));
    }
    SlottedPage.removeAt(page, 2);
    assertEquals(List.of(1, 2, 4, 5), lengths(page));
    SlottedPage.removeAt(page, 3);
    SlottedPage.removeAt(page, 0);
    assertEquals(List.of(2, 4), lengths(page));
    SlottedPage.check(page);
  }

  @Test
  void pruneTakesWhatNobodySeesAndNotesTheOldestLeft() {
    MemorySegment page = empty(SMALL);
    int[] xmaxes = {0, 30, 10, 20, 0, 40};
    for (int xmax : xmaxes) {
      SlottedPage.insert(page, tuple(0, xmax + 1)); // the deleter is the length less one here
      if (xmax != 0) {
        SlottedPage.noteXmax(page, xmax);
      }
    }
    TupleXmax xmax = tuple -> tuple.byteSize() - 1;
    assertEquals(10, PageFormat.pruneXid(page));
    assertEquals(0, SlottedPage.prune(page, 10, tuple -> fail()));
    assertEquals(2, SlottedPage.prune(page, 25, xmax));
    assertEquals(30, PageFormat.pruneXid(page));
    assertEquals(List.of(1, 31, 0, 0, 1, 41), lengths(page));
    assertEquals(2, SlottedPage.prune(page, 0xFFFF_FFFFL, xmax));
    assertEquals(0, PageFormat.pruneXid(page));
    assertEquals(0, SlottedPage.prune(page, 0xFFFF_FFFFL, tuple -> fail()));
    assertEquals(List.of(1, 0, 0, 0, 1), lengths(page));
  }

  @Test
  void mistakesAreRefusedWithNameAndValue() {
    MemorySegment page = filled();
    MemorySegment none = MemorySegment.ofArray(new byte[0]);
    SlottedPage.delete(page, 1);
    refused(IllegalArgumentException.class, "bytes=0", () -> SlottedPage.insert(page, none));
    refused(IllegalArgumentException.class, "bytes=0", () -> SlottedPage.update(page, 0, none));
    refused(IllegalArgumentException.class, "slot=1", () -> SlottedPage.delete(page, 1));
    refused(IllegalArgumentException.class, "slot=1", () -> SlottedPage.removeAt(page, 1));
    refused(
        IllegalArgumentException.class, "slot=1", () -> SlottedPage.update(page, 1, tuple(1, 1)));
    refused(IllegalArgumentException.class, "xmax=0", () -> SlottedPage.noteXmax(page, 0));
    int count = SlottedPage.itemCount(page);
    for (int slot : new int[] {-1, count, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      refused(
          IndexOutOfBoundsException.class,
          "slot=" + slot,
          () -> SlottedPage.readOrNull(page, slot));
    }
    refused(
        IndexOutOfBoundsException.class,
        "slot=" + (count + 1),
        () -> SlottedPage.insertAt(page, count + 1, tuple(1, 1)));
    refused(
        IllegalStateException.class,
        "itemCount=" + count,
        () -> SlottedPage.reserveSpecial(page, 8));
    refused(
        IllegalArgumentException.class,
        "bytes=491",
        () -> SlottedPage.reserveSpecial(empty(SMALL), 491));
  }

  private static <T extends Exception> void refused(Class<T> kind, String end, Runnable call) {
    String message = assertThrows(kind, call::run).getMessage();
    assertTrue(message.endsWith(end), message);
  }

  private static long fail() {
    throw new AssertionError("no tuple need be looked at");
  }

  /** A page of 512 bytes with eight tuples of 50 bytes and little room left. */
  private static MemorySegment filled() {
    MemorySegment page = empty(SMALL);
    for (int i = 0; i < 8; i++) {
      assertEquals(i, SlottedPage.insert(page, tuple(i, 50)));
    }
    return page;
  }

  private static List<Integer> lengths(MemorySegment page) {
    return IntStream.range(0, SlottedPage.itemCount(page))
        .mapToObj(slot -> SlottedPage.length(page, slot))
        .toList();
  }

  private static MemorySegment empty(PageSize size) {
    MemorySegment page = MemorySegment.ofArray(new byte[size.bytes()]);
    PageFormat.format(page, size);
    return page;
  }

  private static MemorySegment tuple(int seed, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (seed * 31 + i * 7);
    }
    return MemorySegment.ofArray(bytes);
  }

  private static byte[] bytes(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  /** Lines of offset and 16 bytes, lines of zeros left out, size last. */
  private static byte[] golden(PageSize size) throws IOException {
    String name = "slotted-" + size.bytes() + ".hex";
    try (InputStream in = SlottedPageTest.class.getResourceAsStream(name)) {
      List<String> lines =
          new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
      ByteBuffer bytes = ByteBuffer.allocate(Integer.parseInt(lines.getLast(), 16));
      for (String line : lines.subList(0, lines.size() - 1)) {
        bytes.put(
            Integer.parseInt(line.substring(0, 8), 16), HexFormat.of().parseHex(line.substring(9)));
      }
      return bytes.array();
    }
  }
}
