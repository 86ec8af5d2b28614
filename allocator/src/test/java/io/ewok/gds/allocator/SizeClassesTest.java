package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SizeClassesTest {

  /** The definition, not the arithmetic: the first size of a list that is large enough. */
  private static int smallestFitting(int bytes) {
    for (int sizeClass = 0; ; sizeClass++) {
      if (SizeClasses.cellBytes(sizeClass) >= bytes) {
        return sizeClass;
      }
    }
  }

  @Test
  void everySizeGetsTheSmallestClassItFits() {
    for (int bytes = 1; bytes <= SizeClasses.CELL_BYTES_MAX; bytes++) {
      assertEquals(smallestFitting(bytes), SizeClasses.indexOf(bytes), "bytes=" + bytes);
    }
  }

  @Test
  void thereAreEightSizesForEachDoublingAndSixteenAboveTwoKibibytes() {
    int sizeClass = 0;
    for (int bytes = 16; bytes < 64; bytes += 8) {
      assertEquals(bytes, SizeClasses.cellBytes(sizeClass++));
    }
    for (int doubling = 64; doubling < SizeClasses.CELL_BYTES_MAX; doubling *= 2) {
      int steps = doubling < 2048 ? 8 : 16;
      for (int step = 0; step < steps; step++) {
        assertEquals(doubling + step * doubling / steps, SizeClasses.cellBytes(sizeClass++));
      }
    }
    assertEquals(SizeClasses.CELL_BYTES_MAX, SizeClasses.cellBytes(sizeClass++));
    assertEquals(sizeClass, SizeClasses.COUNT);
  }

  @Test
  void everySizeAndAlignmentGetsTheSmallestClassWhoseCellsAllLieRight() {
    for (int alignment = 1; alignment <= SizeClasses.BLOCK_BYTES; alignment *= 2) {
      for (int bytes = 1; bytes <= SizeClasses.CELL_BYTES_MAX; bytes++) {
        int found = SizeClasses.indexOf(bytes, alignment);
        assertTrue(liesRight(found, alignment), "bytes=" + bytes + " alignment=" + alignment);
        int smaller = smallestFittingUpTo(bytes, found);
        for (int each = smaller; each < found; each++) {
          assertTrue(!liesRight(each, alignment), "bytes=" + bytes + " alignment=" + alignment);
        }
      }
    }
  }

  private static int smallestFittingUpTo(int bytes, int sizeClass) {
    int smallest = sizeClass;
    while (smallest > 0 && SizeClasses.cellBytes(smallest - 1) >= bytes) {
      smallest--;
    }
    return smallest;
  }

  /** Whether first cells and distances are multiples of the alignment. */
  private static boolean liesRight(int sizeClass, int alignmentBytes) {
    return SizeClasses.cellBytes(sizeClass) % alignmentBytes == 0
        && SizeClasses.colourBytes(sizeClass, 1) % alignmentBytes == 0;
  }

  @Test
  void slabsFitIntoUnitsAndLeaveLittleOver() {
    for (int sizeClass = 0; sizeClass < SizeClasses.COUNT; sizeClass++) {
      int cellBytes = SizeClasses.cellBytes(sizeClass);
      int most = SizeClasses.blocksMax(sizeClass);
      assertTrue(most <= Unit.BLOCKS, "cellBytes=" + cellBytes);
      for (int blocks = SizeClasses.blocks(sizeClass); blocks <= most; blocks *= 2) {
        int slabBytes = blocks * SizeClasses.BLOCK_BYTES;
        int cells = SizeClasses.cells(sizeClass, blocks);
        assertTrue(cells >= 1 && cells <= CellHandle.CELLS_MAX, "cellBytes=" + cellBytes);
        int last = SizeClasses.colourBytes(sizeClass, SizeClasses.COLOURS - 1) + cells * cellBytes;
        assertTrue(last <= slabBytes, "cellBytes=" + cellBytes);
        assertTrue(
            slabBytes - cells * cellBytes <= slabBytes / 32,
            "cellBytes=" + cellBytes + " blocks=" + blocks);
      }
    }
  }
}
