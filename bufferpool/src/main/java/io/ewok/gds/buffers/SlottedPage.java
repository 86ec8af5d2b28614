package io.ewok.gds.buffers;

import java.lang.foreign.MemorySegment;

/**
 * A page of tuples. Each has a slot, a number from zero on, which stays the same wherever the tuple
 * moves within its page.
 *
 * <table>
 * <caption>Slotted page</caption>
 * <tr><th>offset</th><th>what</th></tr>
 * <tr><td>0</td><td>header, see {@link PageFormat}</td></tr>
 * <tr><td>22</td><td>item pointers, 4 bytes for each slot: offset u16 and length u16 of its tuple, little-endian;
 *   zeros if the slot is unused; the last one is used</td></tr>
 * <tr><td>lower</td><td>free space</td></tr>
 * <tr><td>upper</td><td>tuples, in any order and with holes; the next one goes before the first</td></tr>
 * <tr><td>special</td><td>the owner's, up to the end of the page; if zero there is none</td></tr>
 * </table>
 *
 * <p>A page that {@link PageFormat#format} made is one without tuples. A tuple has at least one
 * byte. Two ways to use the slots: a heap takes any ({@link #insert}, {@link #delete}) and may keep
 * their numbers elsewhere; an ordered page shifts them ({@link #insertAt}, {@link #removeAt}).
 *
 * <p>Freed bytes are zeroed, so that deleted data is gone and pages compress, unless the page has
 * {@link PageFormat#FLAG_KEEPS_FREED}. A method that finds no room has changed nothing, and what it
 * does depends on the page's bytes alone, so that doing it again gives the same page.
 *
 * <p>Threads: as for {@link PageFormat}; whoever changes a page has it exclusively. Reading
 * allocates nothing but the view that {@link #readOrNull} returns.
 *
 * {@snippet :
 * int slot = SlottedPage.insert(fix.segment(), tuple);
 * if (slot == SlottedPage.NO_ROOM) {
 *   goOnWithAnotherPage();
 * }
 * for (int s = SlottedPage.next(page, 0); s >= 0; s = SlottedPage.next(page, s + 1)) {
 *   use(SlottedPage.readOrNull(page, s));
 * }
 * }
 *
 * <p>Errors: {@link CorruptPageException} if the page's own numbers lead out of their place, and
 * {@link IndexOutOfBoundsException} for a slot that the page has not. Whatever the bytes are, no
 * method goes on for ever or touches anything outside of the page.
 */
public final class SlottedPage {
  /** Returned in place of a slot when the page has no room. */
  public static final int NO_ROOM = -1;

  /** Returned in place of a slot when there is no further tuple. */
  public static final int NO_SLOT = -1;

  private SlottedPage() {}

  /**
   * Sets the owner's bytes at the end of an empty page apart.
   *
   * @param bytes how many, zero to all that are free
   * @throws IllegalStateException if the page has tuples
   */
  public static void reserveSpecial(MemorySegment page, int bytes) {
    if (itemCount(page) > 0) {
      throw new IllegalStateException("the page has tuples: itemCount=" + itemCount(page));
    }
    int sizeBytes = (int) page.byteSize();
    if (bytes < 0 || bytes > sizeBytes - PageFormat.HEADER_BYTES) {
      throw new IllegalArgumentException(
          "no such space at the end of a page: pageBytes=" + sizeBytes + " bytes=" + bytes);
    }
    PageFormat.setSpecial(page, bytes == 0 ? 0 : sizeBytes - bytes);
    PageFormat.setUpper(page, sizeBytes - bytes);
  }

  /** One more than the largest slot in use; some below it may be unused. */
  public static int itemCount(MemorySegment page) {
    return ItemPointers.count(page);
  }

  /**
   * The first slot in use from this one on, or {@link #NO_SLOT}.
   *
   * @param slot zero or more
   */
  public static int next(MemorySegment page, int slot) {
    int count = itemCount(page);
    for (int at = slot; at < count; at++) {
      if (ItemPointers.get(page, at) != ItemPointers.UNUSED) {
        return at;
      }
    }
    return NO_SLOT;
  }

  /**
   * The tuple in a slot, or null if the slot is unused. It lies in the page, and must not be used
   * after the page was changed or unfixed.
   */
  public static MemorySegment readOrNull(MemorySegment page, int slot) {
    int pointer = ItemPointers.get(page, slot);
    return pointer == ItemPointers.UNUSED
        ? null
        : page.asSlice(ItemPointers.offset(pointer), ItemPointers.length(pointer));
  }

  /** Where in the page the tuple of a slot lies, or zero if the slot is unused. */
  public static int offset(MemorySegment page, int slot) {
    return ItemPointers.offset(ItemPointers.get(page, slot));
  }

  /** The length of the tuple in a slot in bytes, or zero if the slot is unused. */
  public static int length(MemorySegment page, int slot) {
    return ItemPointers.length(ItemPointers.get(page, slot));
  }

  /** Bytes that are in no tuple, item pointer, header or special space, together or not. */
  public static int freeBytes(MemorySegment page) {
    return PageSpace.freeBytes(page);
  }

  /**
   * Puts a tuple in the lowest unused slot.
   *
   * @return the slot, or {@link #NO_ROOM}
   * @throws IllegalArgumentException if the tuple is empty
   */
  public static int insert(MemorySegment page, MemorySegment tuple) {
    int count = itemCount(page);
    int slot = ItemPointers.lowestUnused(page, count);
    int pointerBytes = slot < count ? 0 : ItemPointers.BYTES;
    MemorySegment source = PageSpace.makeRoom(page, pointerBytes, tuple);
    if (source == null) {
      return NO_ROOM;
    }
    if (slot == count) {
      ItemPointers.append(page);
    }
    PageSpace.place(page, slot, source);
    return slot;
  }

  /**
   * Puts a tuple in a slot, and those that were in this one and the following each in the next.
   *
   * @param slot zero to {@link #itemCount}
   * @return whether there was room
   * @throws IllegalArgumentException if the tuple is empty
   */
  public static boolean insertAt(MemorySegment page, int slot, MemorySegment tuple) {
    int count = itemCount(page);
    ItemPointers.checkSlot(slot, count + 1);
    MemorySegment source = PageSpace.makeRoom(page, ItemPointers.BYTES, tuple);
    if (source == null) {
      return false;
    }
    ItemPointers.open(page, slot, count);
    PageSpace.place(page, slot, source);
    return true;
  }

  /**
   * Replaces a tuple: where it lies if it gets no longer, else it moves in the page.
   *
   * @return whether there was room
   * @throws IllegalArgumentException if the slot is unused or the tuple empty
   */
  public static boolean update(MemorySegment page, int slot, MemorySegment tuple) {
    int old = ItemPointers.getUsed(page, slot);
    int oldBytes = ItemPointers.length(old);
    int bytes = PageSpace.lengthOf(tuple);
    if (bytes <= oldBytes) {
      int offset = ItemPointers.offset(old);
      MemorySegment.copy(tuple, 0, page, offset, bytes);
      ItemPointers.set(page, slot, offset, bytes);
      PageSpace.scrub(page, offset + bytes, oldBytes - bytes);
      return true;
    }
    if (PageSpace.betweenBounds(page) >= bytes) {
      PageSpace.place(page, slot, tuple);
      PageSpace.scrub(page, ItemPointers.offset(old), oldBytes);
      return true;
    }
    if (freeBytes(page) + oldBytes < bytes) {
      return false;
    }
    MemorySegment source = PageSpace.copyOf(tuple);
    PageSpace.release(page, slot, old);
    PageSpace.compact(page);
    PageSpace.place(page, slot, source);
    return true;
  }

  /**
   * Deletes a tuple. Its slot is unused from now on, and the next insert may take it.
   *
   * @throws IllegalArgumentException if the slot is unused
   */
  public static void delete(MemorySegment page, int slot) {
    PageSpace.release(page, slot, ItemPointers.getUsed(page, slot));
    ItemPointers.noteUnused(page);
  }

  /**
   * Deletes a tuple together with its slot: those in the following slots each go to the one before.
   *
   * @throws IllegalArgumentException if the slot is unused
   */
  public static void removeAt(MemorySegment page, int slot) {
    int count = itemCount(page);
    PageSpace.release(page, slot, ItemPointers.getUsed(page, slot));
    ItemPointers.shut(page, slot, count);
  }

  /** Moves the tuples together, so that all free space lies between the bounds. */
  public static void compact(MemorySegment page) {
    PageSpace.compact(page);
  }

  /**
   * Notes that a transaction deleted a tuple that other transactions may still see.
   *
   * @param xmax its number, 1 to 2<sup>32</sup> - 1
   */
  public static void noteXmax(MemorySegment page, long xmax) {
    if (xmax < 1) {
      throw new IllegalArgumentException("a transaction has a number from 1 on: xmax=" + xmax);
    }
    long oldest = PageFormat.pruneXid(page);
    if (oldest == 0 || xmax < oldest) {
      PageFormat.setPruneXid(page, xmax);
    }
  }

  /**
   * Deletes the tuples that nobody can see any more. Costs next to nothing if there is none, which
   * the header's prune_xid tells.
   *
   * @param horizon the oldest transaction that somebody may still look back to; what an older one
   *     deleted goes
   * @return how many tuples went
   */
  public static int prune(MemorySegment page, long horizon, TupleXmax xmax) {
    long oldest = PageFormat.pruneXid(page);
    if (oldest == 0 || oldest >= horizon) {
      return 0;
    }
    int pruned = 0;
    long oldestLeft = 0;
    for (int slot = itemCount(page) - 1; slot >= 0; slot--) {
      MemorySegment tuple = readOrNull(page, slot);
      long deleter = tuple == null ? 0 : xmax.xmaxOf(tuple);
      if (deleter != 0 && deleter < horizon) {
        delete(page, slot);
        pruned++;
      } else if (deleter != 0 && (oldestLeft == 0 || deleter < oldestLeft)) {
        oldestLeft = deleter;
      }
    }
    PageFormat.setPruneXid(page, oldestLeft);
    return pruned;
  }

  /**
   * Checks all that the other methods rely on, and that no two tuples overlap.
   *
   * @throws CorruptPageException if something is wrong
   */
  public static void check(MemorySegment page) {
    PageSpace.check(page);
  }
}
