package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** The shadow model has to notice what the burn test relies on. */
class LiveCellsTest {
  private static final long UNIT = 2L << 20;

  private final LiveCells cells = new LiveCells();

  @Test
  void neighboursDoNotOverlap() {
    cells.add(UNIT, 24);
    cells.add(UNIT + 24, 1024);
    cells.add(UNIT + 24 + 1024, 512);
    cells.add(2 * UNIT - 512, 1024);
    assertEquals(24 + 1024 + 512 + 1024, cells.bytes());
    cells.remove(UNIT + 24, 1024);
    cells.add(UNIT + 24, 1024);
  }

  @Test
  void cellWithinAnotherIsAnOverlap() {
    cells.add(UNIT, 4096);
    assertThrows(AssertionError.class, () -> cells.add(UNIT + 512, 16));
  }

  @Test
  void lastAndFirstEightBytesAreAnOverlap() {
    cells.add(UNIT + 1024, 1000);
    assertThrows(AssertionError.class, () -> cells.add(UNIT + 1024 - 64, 72));
    assertThrows(AssertionError.class, () -> cells.add(UNIT + 1024 + 992, 64));
  }

  @Test
  void whatIsNotLiveIsNotRemoved() {
    cells.add(UNIT, 64);
    assertThrows(AssertionError.class, () -> cells.remove(UNIT, 72));
    assertThrows(AssertionError.class, () -> cells.remove(UNIT + 4096, 16));
  }
}
