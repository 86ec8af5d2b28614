package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.PageFileFormat.Identity;
import io.ewok.gds.buffers.PageFileFormat.Salt;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The golden bytes were computed by another program. */
final class PageFormatTest {
  private static final Path FILE = Path.of("pages");

  /** Headers of pages 1 to 8 of the eight sizes, filled as {@link #sample} does. */
  private static final String[] GOLDEN = {
    "1080a25398badcfeefcdab89674523011a000002f801",
    "1181438098badcfeefcdab89674523011a000004f803",
    "128234dc98badcfeefcdab89674523011a000008f807",
    "1383646198badcfeefcdab89674523011a000010f80f",
    "14842c3b98badcfeefcdab89674523011a000020f81f",
    "1585248698badcfeefcdab89674523011a000040f83f",
    "1686bb3198badcfeefcdab89674523011a000080f87f",
    "17878e9c98badcfeefcdab89674523011a000000f8ff",
  };

  @Test
  void headersAndChecksumsOfAllSizesAreGolden() throws StorageException {
    for (PageSize size : PageSize.values()) {
      MemorySegment page = sample(size);
      long number = size.code() + 1L;
      PageFormat.seal(page, size, number);
      byte[] header = page.asSlice(0, PageFormat.HEADER_BYTES).toArray(ValueLayout.JAVA_BYTE);
      assertEquals(GOLDEN[size.code()], HexFormat.of().formatHex(header), size.name());
      PageFormat.verify(page, size, number, FILE);
    }
  }

  @Test
  void sizesAreThoseOfTheTable() {
    int[] bytes = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
    for (int code = 0; code < bytes.length; code++) {
      assertEquals(bytes[code], PageSize.ofCode(code).bytes());
      assertEquals(code, PageSize.ofBytes(bytes[code]).code());
    }
    assertThrows(IllegalArgumentException.class, () -> PageSize.ofCode(8));
    assertThrows(IllegalArgumentException.class, () -> PageSize.ofCode(-1));
    assertThrows(IllegalArgumentException.class, () -> PageSize.ofBytes(2056));
  }

  @Test
  void fieldsComeBack() {
    for (PageSize size : PageSize.values()) {
      MemorySegment page = sample(size);
      assertEquals(1, PageFormat.version(page));
      assertEquals(size.code(), PageFormat.sizeCode(page));
      assertEquals(0x80 + size.code(), PageFormat.flags(page));
      assertEquals(0xFEDC_BA98L, PageFormat.pruneXid(page));
      assertEquals(0x0123_4567_89AB_CDEFL, PageFormat.lsn(page));
      assertEquals(26, PageFormat.lower(page));
      assertEquals(size.bytes(), PageFormat.upper(page));
      assertEquals(size.bytes() - 8, PageFormat.special(page));
    }
  }

  @Test
  void valuesWithoutRoomAreRefused() {
    MemorySegment page = sample(PageSize.BYTES_512);
    assertThrows(IllegalArgumentException.class, () -> PageFormat.setFlags(page, 256));
    assertThrows(IllegalArgumentException.class, () -> PageFormat.setPruneXid(page, 1L << 32));
    assertThrows(IllegalArgumentException.class, () -> PageFormat.setLower(page, 65536));
    assertThrows(IllegalArgumentException.class, () -> PageFormat.setUpper(page, 0));
    assertThrows(IllegalArgumentException.class, () -> PageFormat.setUpper(page, 65537));
    assertThrows(IllegalArgumentException.class, () -> PageFormat.setSpecial(page, -1));
  }

  @Test
  void anyFlippedBitIsFound() {
    MemorySegment page = sample(PageSize.BYTES_1024);
    PageFormat.seal(page, PageSize.BYTES_1024, 5);
    for (long bit = 0; bit < page.byteSize() * 8; bit++) {
      flip(page, bit);
      assertThrows(
          StorageException.class,
          () -> PageFormat.verify(page, PageSize.BYTES_1024, 5, FILE),
          "bit=" + bit);
      flip(page, bit);
    }
  }

  @Test
  void aPageInTheWrongPlaceIsFound() {
    MemorySegment page = sample(PageSize.BYTES_4096);
    PageFormat.seal(page, PageSize.BYTES_4096, 5);
    assertNotEquals(PageFormat.computeChecksum(page, 6), PageFormat.checksum(page));
    CorruptFileException e =
        assertThrows(
            CorruptFileException.class,
            () -> PageFormat.verify(page, PageSize.BYTES_4096, 6, FILE));
    assertEquals(6 * 4096, e.offset());
    assertTrue(e.getMessage().contains("page 6"), e.getMessage());
  }

  @Test
  void aPageOfAnotherSizeOrVersionIsFound() {
    MemorySegment page = sample(PageSize.BYTES_512);
    setLayout(page, 0x11);
    assertThrows(
        CorruptFileException.class, () -> PageFormat.verify(page, PageSize.BYTES_512, 1, FILE));
    setLayout(page, 0x20);
    assertThrows(
        UnsupportedFormatException.class,
        () -> PageFormat.verify(page, PageSize.BYTES_512, 1, FILE));
  }

  private static void setLayout(MemorySegment page, int layout) {
    page.set(ValueLayout.JAVA_BYTE, 0, (byte) layout);
    page.set(PageFormat.SHORT, 2, (short) PageFormat.computeChecksum(page, 1));
  }

  @Test
  void onlyZerosMeansNeverWritten() throws StorageException {
    MemorySegment page = MemorySegment.ofArray(new byte[512]);
    assertTrue(PageFormat.isNeverWritten(page));
    PageFormat.verify(page, PageSize.BYTES_512, 1, FILE);
    page.set(ValueLayout.JAVA_BYTE, 511, (byte) 1);
    assertFalse(PageFormat.isNeverWritten(page));
    assertThrows(
        CorruptFileException.class, () -> PageFormat.verify(page, PageSize.BYTES_512, 1, FILE));
  }

  @Test
  void theChecksumIsNeverZero() {
    MemorySegment page = sample(PageSize.BYTES_512);
    for (long number = 0; number < 200_000; number++) {
      int checksum = PageFormat.computeChecksum(page, number);
      assertTrue(checksum >= 1 && checksum <= 65535, "number=" + number);
    }
  }

  @Test
  void theFilePageIsGolden() throws StorageException {
    assertEquals(
        "100052c100000000000000000000000030000002" + "0000000047445350414745530100000001000000",
        filePage(new Identity(TornPages.NONE, 0)).substring(0, 80));
    assertEquals(
        "1000acfd00000000000000000000000030000002"
            + "0000000047445350414745530100000002000000efcdab8967452301",
        filePage(new Identity(TornPages.DOUBLE_WRITE, 0x0123_4567_89AB_CDEFL)));
    String sealed =
        filePage(new Identity(TornPages.BACKUP, 0x0123_4567_89AB_CDEFL, new Salt(0x11, 0x22)));
    assertEquals(
        "00000000000000000000000070000002"
            + "0000000047445350414745530200000003003000efcdab8967452301"
            + "11000000000000002200000000000000",
        sealed.substring(8));
  }

  @Test
  void filePagesOfAllModesCanBeRead() throws StorageException {
    for (TornPages mode : TornPages.values()) {
      if (mode != TornPages.AUTO) {
        for (Salt salt : new Salt[] {null, new Salt(1, -2)}) {
          Identity identity = new Identity(mode, 77, salt);
          MemorySegment page = MemorySegment.ofArray(HexFormat.of().parseHex(filePage(identity)));
          assertEquals(identity, PageFileFormat.check(page, PageSize.BYTES_512, FILE));
        }
      }
    }
    // As written before files had a number.
    String old =
        "1000cca000000000000000000000000028000002"
            + "00000000474453504147455301000000010000000000000000000000";
    MemorySegment page = MemorySegment.ofArray(HexFormat.of().parseHex(old));
    assertEquals(
        new Identity(TornPages.NONE, 0), PageFileFormat.check(page, PageSize.BYTES_512, FILE));
  }

  private static String filePage(Identity identity) {
    MemorySegment page = MemorySegment.ofArray(new byte[512]);
    PageFormat.format(page, PageSize.BYTES_512);
    PageFileFormat.write(page, identity);
    PageFormat.seal(page, PageSize.BYTES_512, 0);
    int prefixBytes =
        identity.saltOrNull() == null ? PageFileFormat.PREFIX_BYTES : PageFileFormat.SEAL;
    byte[] start = page.asSlice(0, prefixBytes).toArray(ValueLayout.JAVA_BYTE);
    return HexFormat.of().formatHex(start);
  }

  private static MemorySegment sample(PageSize size) {
    MemorySegment page = MemorySegment.ofArray(new byte[size.bytes()]);
    PageFormat.format(page, size);
    PageFormat.setFlags(page, 0x80 + size.code());
    PageFormat.setPruneXid(page, 0xFEDC_BA98L);
    PageFormat.setLsn(page, 0x0123_4567_89AB_CDEFL);
    PageFormat.setLower(page, 26);
    PageFormat.setSpecial(page, size.bytes() - 8);
    page.set(ValueLayout.JAVA_BYTE, size.bytes() - 1, (byte) 0x5A);
    return page;
  }

  private static void flip(MemorySegment memory, long bit) {
    byte old = memory.get(ValueLayout.JAVA_BYTE, bit / 8);
    memory.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (old ^ 1 << bit % 8));
  }
}
