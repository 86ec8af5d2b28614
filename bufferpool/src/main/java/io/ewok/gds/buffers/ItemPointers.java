package io.ewok.gds.buffers;

import static io.ewok.gds.buffers.PageFormat.HEADER_BYTES;

import java.lang.foreign.MemorySegment;

/**
 * The item pointers of a slotted page. A pointer is an int as it lies in the page: offset of the
 * tuple in the low half, length in the high half. Everything read is checked before it is returned.
 */
final class ItemPointers {
  static final int BYTES = 2 * Short.BYTES;

  /** The pointer of a slot without a tuple. */
  static final int UNUSED = 0;

  private static final int HALF_MASK = 0xFFFF;

  private ItemPointers() {}

  static int offset(int pointer) {
    return pointer & HALF_MASK;
  }

  static int length(int pointer) {
    return pointer >>> Short.SIZE;
  }

  /** How many there are, in a page whose bounds are checked by this. */
  static int count(MemorySegment page) {
    int lower = PageFormat.lower(page);
    PageSpace.checkBounds(page, lower, PageFormat.upper(page), PageSpace.end(page));
    return (lower - HEADER_BYTES) / BYTES;
  }

  /** The pointer of a slot, which is unused or leads to a tuple between upper bound and end. */
  static int get(MemorySegment page, int slot) {
    int lower = PageFormat.lower(page);
    int upper = PageFormat.upper(page);
    int end = PageSpace.end(page);
    PageSpace.checkBounds(page, lower, upper, end);
    checkSlot(slot, (lower - HEADER_BYTES) / BYTES);
    int pointer = page.get(PageFormat.INT, at(slot));
    boolean fits =
        length(pointer) > 0 && offset(pointer) >= upper && offset(pointer) + length(pointer) <= end;
    if (!fits && pointer != UNUSED) {
      throw new CorruptPageException(
          "an item leads out of the space for tuples: upper=%d end=%d slot=%d offset=%d length=%d"
              .formatted(upper, end, slot, offset(pointer), length(pointer)));
    }
    return pointer;
  }

  /** The pointer of a slot that the caller believes to be used. */
  static int getUsed(MemorySegment page, int slot) {
    int pointer = get(page, slot);
    if (pointer == UNUSED) {
      throw new IllegalArgumentException("the slot holds no tuple: slot=" + slot);
    }
    return pointer;
  }

  static void set(MemorySegment page, int slot, int offset, int length) {
    page.set(PageFormat.INT, at(slot), offset | length << Short.SIZE);
  }

  /** The lowest unused slot, or the first after the last. */
  static int lowestUnused(MemorySegment page, int count) {
    if ((PageFormat.flags(page) & PageFormat.FLAG_UNUSED_ITEMS) != 0) {
      for (int slot = 0; slot < count; slot++) {
        if (page.get(PageFormat.INT, at(slot)) == UNUSED) {
          return slot;
        }
      }
    }
    return count;
  }

  /** Makes a slot after the last, where there is room for it; so none before it was unused. */
  static void append(MemorySegment page) {
    PageFormat.setFlags(page, PageFormat.flags(page) & ~PageFormat.FLAG_UNUSED_ITEMS);
    PageFormat.setLower(page, PageFormat.lower(page) + BYTES);
  }

  /** Makes a slot where there is one, and moves the following, where there is room for it. */
  static void open(MemorySegment page, int slot, int count) {
    MemorySegment.copy(page, at(slot), page, at(slot + 1), (long) (count - slot) * BYTES);
    PageFormat.setLower(page, PageFormat.lower(page) + BYTES);
  }

  /** Takes a slot away, and moves the following. */
  static void shut(MemorySegment page, int slot, int count) {
    MemorySegment.copy(page, at(slot + 1), page, at(slot), (long) (count - slot - 1) * BYTES);
    set(page, count - 1, 0, 0);
    PageFormat.setLower(page, PageFormat.lower(page) - BYTES);
    dropUnusedEnd(page);
  }

  /** To be called when a slot has become unused. */
  static void noteUnused(MemorySegment page) {
    PageFormat.setFlags(page, PageFormat.flags(page) | PageFormat.FLAG_UNUSED_ITEMS);
    dropUnusedEnd(page);
  }

  static void checkSlot(int slot, int count) {
    if (slot < 0 || slot >= count) {
      throw new IndexOutOfBoundsException("no such slot: count=" + count + " slot=" + slot);
    }
  }

  /** Keeps the promise that the last slot is used. */
  private static void dropUnusedEnd(MemorySegment page) {
    int lower = PageFormat.lower(page);
    while (lower > HEADER_BYTES && page.get(PageFormat.INT, lower - BYTES) == UNUSED) {
      lower -= BYTES;
    }
    PageFormat.setLower(page, lower);
  }

  private static long at(int slot) {
    return HEADER_BYTES + (long) slot * BYTES;
  }
}
