package io.ewok.gds.buffers;

import static io.ewok.gds.buffers.PageFormat.HEADER_BYTES;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/** Where tuples lie in a slotted page: room for new ones, holes, and moving all together. */
final class PageSpace {
  private PageSpace() {}

  /** The offset after the last byte that a tuple may have. */
  static int end(MemorySegment page) {
    int special = PageFormat.special(page);
    return special == 0 ? (int) page.byteSize() : special;
  }

  static void checkBounds(MemorySegment page, int lower, int upper, int end) {
    boolean ordered = HEADER_BYTES <= lower && lower <= upper && upper <= end;
    if (!ordered || end > page.byteSize() || (lower - HEADER_BYTES) % ItemPointers.BYTES != 0) {
      throw new CorruptPageException(
          "the bounds of the page are not in order: pageBytes=%d lower=%d upper=%d end=%d"
              .formatted(page.byteSize(), lower, upper, end));
    }
  }

  /** The bytes of free space that lie together, in a page whose bounds were checked. */
  static int betweenBounds(MemorySegment page) {
    return PageFormat.upper(page) - PageFormat.lower(page);
  }

  static int freeBytes(MemorySegment page) {
    int count = ItemPointers.count(page);
    long tupleBytes = 0;
    for (int slot = 0; slot < count; slot++) {
      tupleBytes += ItemPointers.length(ItemPointers.get(page, slot));
    }
    long free = end(page) - PageFormat.lower(page) - tupleBytes;
    if (free < 0) {
      throw new CorruptPageException(
          "tuples overlap: pageBytes=%d itemCount=%d tupleBytes=%d"
              .formatted(page.byteSize(), count, tupleBytes));
    }
    return (int) free;
  }

  /**
   * Makes room between the bounds for a tuple and more, by compacting if need be.
   *
   * @return the tuple, copied if it might have lain in what has moved; null if there is no room,
   *     and nothing was changed
   */
  static MemorySegment makeRoom(MemorySegment page, int moreBytes, MemorySegment tuple) {
    int bytes = lengthOf(tuple) + moreBytes;
    if (betweenBounds(page) >= bytes) {
      return tuple;
    }
    if (freeBytes(page) < bytes) {
      return null;
    }
    MemorySegment copy = copyOf(tuple);
    compact(page);
    return copy;
  }

  /** Copies a tuple to where there is room for it, and makes it that of the slot. */
  static void place(MemorySegment page, int slot, MemorySegment tuple) {
    int bytes = (int) tuple.byteSize();
    int offset = PageFormat.upper(page) - bytes;
    MemorySegment.copy(tuple, 0, page, offset, bytes);
    PageFormat.setUpper(page, offset);
    ItemPointers.set(page, slot, offset, bytes);
  }

  /** Makes a slot unused, and its tuple's bytes free. */
  static void release(MemorySegment page, int slot, int pointer) {
    int offset = ItemPointers.offset(pointer);
    int bytes = ItemPointers.length(pointer);
    ItemPointers.set(page, slot, 0, 0);
    scrub(page, offset, bytes);
    if (offset == PageFormat.upper(page)) {
      PageFormat.setUpper(page, offset + bytes);
    }
  }

  static void scrub(MemorySegment page, int offset, int bytes) {
    if ((PageFormat.flags(page) & PageFormat.FLAG_KEEPS_FREED) == 0) {
      page.asSlice(offset, bytes).fill((byte) 0);
    }
  }

  /** Puts the tuples in the order of their slots, from the end of the page down. */
  static void compact(MemorySegment page) {
    int upper = PageFormat.upper(page);
    if (freeBytes(page) == betweenBounds(page)) {
      return;
    }
    int end = end(page);
    MemorySegment old = copyOf(page.asSlice(upper, end - upper));
    int count = ItemPointers.count(page);
    int at = end;
    for (int slot = 0; slot < count; slot++) {
      int pointer = ItemPointers.get(page, slot);
      if (pointer != ItemPointers.UNUSED) {
        int bytes = ItemPointers.length(pointer);
        at -= bytes;
        MemorySegment.copy(old, ItemPointers.offset(pointer) - upper, page, at, bytes);
        ItemPointers.set(page, slot, at, bytes);
      }
    }
    PageFormat.setUpper(page, at);
    scrub(page, upper, Math.max(0, at - upper));
  }

  static int lengthOf(MemorySegment tuple) {
    long bytes = tuple.byteSize();
    if (bytes == 0) {
      throw new IllegalArgumentException("a tuple has one byte or more: bytes=" + bytes);
    }
    return (int) Math.min(bytes, PageSize.BYTES_65536.bytes()); // so long fits in no page
  }

  static MemorySegment copyOf(MemorySegment bytes) {
    return MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  static void check(MemorySegment page) {
    if (PageFormat.version(page) != PageFormat.VERSION
        || PageFormat.sizeCode(page) >= PageSize.values().length
        || !hasSize(page, PageSize.ofCode(PageFormat.sizeCode(page)))) {
      throw new CorruptPageException(
          "the page is of another version or size: pageBytes=%d version=%d sizeCode=%d"
              .formatted(page.byteSize(), PageFormat.version(page), PageFormat.sizeCode(page)));
    }
    BitSet taken = new BitSet((int) page.byteSize());
    int count = ItemPointers.count(page);
    for (int slot = 0; slot < count; slot++) {
      int pointer = ItemPointers.get(page, slot);
      int offset = ItemPointers.offset(pointer);
      int after = offset + ItemPointers.length(pointer);
      int next = taken.nextSetBit(offset);
      if (next >= 0 && next < after) {
        throw new CorruptPageException(
            "two tuples lie in one place: slot=" + slot + " offset=" + next);
      }
      taken.set(offset, after);
    }
  }

  /** Whether a page in the pool may be one of this size, of an encrypted file or another one. */
  private static boolean hasSize(MemorySegment page, PageSize size) {
    long trailer = size.bytes() - page.byteSize();
    return trailer == 0 || trailer == PageFormat.SEAL_BYTES;
  }
}
