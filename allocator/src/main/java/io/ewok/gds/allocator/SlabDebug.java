package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a {@link SlabAllocator} does when {@link DebugLetters} are on. Every call comes here then;
 * shards keep no cells, so that none is issued past this.
 *
 * <pre>
 *   | red zone | what was asked for | red zone |    a cell
 *   | what was asked for            | red zone |    one whose size is a power of two from 512 on
 * </pre>
 *
 * <p>Threads: any. Of a cell, whoever has it.
 */
final class SlabDebug {
  private static final int ZONE_BYTES = 16;

  private final SlabAllocator allocator;
  private final DebugLetters letters;

  /** Cells by the handle that they are issued under next. Always empty if that letter is off. */
  private final Quarantine quarantine = new Quarantine();

  private final AtomicLong allocations = new AtomicLong();

  SlabDebug(SlabAllocator allocator, DebugLetters letters) {
    this.allocator = allocator;
    this.letters = letters;
  }

  CellNotes notes(int cells) {
    return new CellNotes(cells, letters);
  }

  /** Returns where in a cell of a class the caller's memory starts. */
  int frontBytes(int sizeClass) {
    return letters.redZones() && !isFrame(SizeClasses.cellBytes(sizeClass)) ? ZONE_BYTES : 0;
  }

  /** Returns how much of a live cell is the caller's. */
  int usableBytes(Slab slab, int cell) {
    return letters.redZones() ? slab.notes.bytes[cell] : slab.cellBytes;
  }

  private static boolean isFrame(int bytes) {
    return bytes >= SizeClasses.COLOURED_BELOW_BYTES && Integer.bitCount(bytes) == 1;
  }

  private int sizeClass(int bytes, int alignmentBytes) {
    // Refuses what is out of range.
    int plain = SlabAllocator.sizeClass(bytes, alignmentBytes);
    if (!letters.redZones()) {
      return plain;
    }
    int zoned = Math.min(bytes + 2 * ZONE_BYTES, SizeClasses.CELL_BYTES_MAX);
    if (alignmentBytes <= ZONE_BYTES && !isFrame(bytes)) {
      return SizeClasses.indexOf(zoned, alignmentBytes);
    }
    // A frame lies at a multiple of its size, so it has no zone in front.
    int frame = Math.max(Math.max(zoned, alignmentBytes), SizeClasses.COLOURED_BELOW_BYTES);
    return SizeClasses.indexOf(Integer.highestOneBit(frame - 1) * 2);
  }

  // ---------------------------------------------------------------- allocate and free

  long allocate(NodeHeap heap, int bytes, int alignmentBytes) {
    int sizeClass = sizeClass(bytes, alignmentBytes);
    if (allocations.incrementAndGet() == letters.failAt()) {
      return CellHandle.NONE;
    }
    long handle = heap.stripes().take(sizeClass);
    if (handle == CellHandle.NONE && quarantine.count() > 0) {
      raise(endQuarantine());
      handle = heap.stripes().take(sizeClass);
    }
    if (handle == CellHandle.NONE) {
      return handle;
    }
    Slab slab = SlabTable.find(handle);
    if (slab == null || slab.heap.allocator() != allocator) {
      throw new IllegalStateException("closed: " + allocator);
    }
    int cell = CellHandle.cell(handle);
    MemoryCorruptionException found = verifyFree(slab, cell);
    if (found != null) {
      slab.heap.stripes().put(slab, handle);
      throw found;
    }
    slab.notes.allocated(cell, CellHandle.generation(handle), bytes);
    if (letters.redZones()) {
      Poison.RED_ZONE.fill(memory(slab, cell));
    }
    if (letters.poison()) {
      Poison.ALLOCATED.fill(slab.segment(handle, usableBytes(slab, cell)));
    }
    return handle;
  }

  void free(long handle) {
    Slab slab = allocator.live(handle);
    int cell = CellHandle.cell(handle);
    if (slab.notes.bytes[cell] == 0 || !slab.tryStep(handle)) {
      throw allocator.stale(handle);
    }
    MemoryCorruptionException found = verifyZones(slab, cell);
    slab.notes.freed(cell);
    if (!slab.heap.defer(slab, handle)) {
      release(slab, cell);
      found = MemoryCorruptionException.join(found, endExcess());
    }
    raise(found);
  }

  /** Takes a cell that is neither the caller's nor under I/O. Looks at nothing, so never throws. */
  void release(Slab slab, int cell) {
    if (letters.poison()) {
      Poison.FREED.fill(memory(slab, cell));
      slab.notes.poisoned[cell] = true;
    }
    long next = slab.handle(cell);
    if (letters.quarantine()) {
      quarantine.add(next, slab.cellBytes);
    } else {
      slab.heap.stripes().put(slab, next);
    }
  }

  // ---------------------------------------------------------------- quarantine

  private MemoryCorruptionException endExcess() {
    MemoryCorruptionException found = null;
    for (long next = quarantine.takeExcess();
        next != Quarantine.NONE;
        next = quarantine.takeExcess()) {
      found = MemoryCorruptionException.join(found, readmit(next));
    }
    return found;
  }

  /** Lets all cells out, into their slabs. Returns what is wrong with them, or null. */
  MemoryCorruptionException endQuarantine() {
    MemoryCorruptionException found = null;
    for (long next = quarantine.takeOldest();
        next != Quarantine.NONE;
        next = quarantine.takeOldest()) {
      found = MemoryCorruptionException.join(found, readmit(next));
    }
    return found;
  }

  private MemoryCorruptionException readmit(long next) {
    Slab slab = SlabTable.find(next);
    if (slab == null || slab.heap.allocator() != allocator) {
      return null; // closed meanwhile
    }
    int cell = CellHandle.cell(next);
    MemoryCorruptionException found = verifyFree(slab, cell);
    slab.heap.bin(slab.sizeClass).put(slab, cell);
    return found;
  }

  int quarantinedCells() {
    return quarantine.count();
  }

  long quarantinedBytes() {
    return quarantine.bytes();
  }

  // ---------------------------------------------------------------- what is wrong

  static void raise(MemoryCorruptionException found) {
    if (found != null) {
      throw found;
    }
  }

  /** Adds what is allocated in a slab. */
  static void addLeaks(Slab slab, LeakReport.Builder leaks) {
    CellNotes notes = slab.notes;
    for (int cell = 0; cell < slab.cellCount; cell++) {
      if (notes.bytes[cell] > 0) {
        leaks.add(notes.bytes[cell], notes.allocatedAt == null ? null : notes.allocatedAt[cell]);
      }
    }
  }

  /** Returns what is wrong around that which is allocated in a slab, or null. */
  MemoryCorruptionException verifyLive(Slab slab) {
    MemoryCorruptionException found = null;
    for (int cell = 0; cell < slab.cellCount; cell++) {
      if (slab.notes.bytes[cell] > 0) {
        found = MemoryCorruptionException.join(found, verifyZones(slab, cell));
      }
    }
    return found;
  }

  private MemoryCorruptionException verifyFree(Slab slab, int cell) {
    if (!slab.notes.poisoned[cell]) {
      return null;
    }
    MemorySegment memory = memory(slab, cell);
    long offset = Poison.FREED.firstWrong(memory);
    if (offset < 0) {
      return null;
    }
    slab.notes.poisoned[cell] = false;
    return corruption(
        "memory was written after it had been freed", slab, cell, Poison.FREED, offset);
  }

  private MemoryCorruptionException verifyZones(Slab slab, int cell) {
    if (!letters.redZones()) {
      return null;
    }
    MemorySegment memory = memory(slab, cell);
    int front = frontBytes(slab.sizeClass);
    int end = front + slab.notes.bytes[cell];
    long before = Poison.RED_ZONE.firstWrong(memory.asSlice(0, front));
    if (before >= 0) {
      return corruption(
          "the bytes before an allocation were written", slab, cell, Poison.RED_ZONE, before);
    }
    long behind = Poison.RED_ZONE.firstWrong(memory.asSlice(end));
    return behind < 0
        ? null
        : corruption(
            "the bytes behind an allocation were written",
            slab,
            cell,
            Poison.RED_ZONE,
            end + behind);
  }

  /**
   * @param offset of the first wrong byte in the cell
   */
  private MemoryCorruptionException corruption(
      String what, Slab slab, int cell, Poison expected, long offset) {
    CellNotes notes = slab.notes;
    long handle = CellHandle.of(notes.generation[cell], slab.number, cell);
    return new MemoryCorruptionException(
        what,
        allocator,
        notes.sites(cell),
        "handle=" + CellHandle.toString(handle),
        offset - frontBytes(slab.sizeClass),
        expected,
        memory(slab, cell).get(ValueLayout.JAVA_BYTE, offset));
  }

  /** Returns the whole cell, zones included, with the scope of its region. */
  private MemorySegment memory(Slab slab, int cell) {
    long start = slab.offset(slab.handle(cell)) - frontBytes(slab.sizeClass);
    return slab.unit.region().segment().asSlice(start, slab.cellBytes);
  }

  /** Returns what is known of the last life of a cell, for the message of an error. */
  static String toldOf(Slab slab, long handle) {
    int cell = CellHandle.cell(handle);
    CellNotes notes = slab.notes;
    return cell < slab.cellCount && notes.generation[cell] == CellHandle.generation(handle)
        ? notes.sites(cell)
        : "";
  }
}
