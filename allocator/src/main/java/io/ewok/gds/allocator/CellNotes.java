package io.ewok.gds.allocator;

/**
 * What is known of the cells of a slab with {@link DebugLetters} on: arrays by cell.
 *
 * <p>Threads: of each cell, confined to whoever has it; passed on as the cell is.
 */
final class CellNotes {
  /** How many were asked for; 0 while nobody has the cell. */
  final int[] bytes;

  /** Of the handle it was issued under last. */
  final int[] generation;

  /** Whether it is free and holds {@link Poison#FREED}. */
  final boolean[] poisoned;

  /** Null if sites are off. */
  final AllocationSite[] allocatedAt;

  /** Null if sites are off. */
  final AllocationSite[] freedAt;

  CellNotes(int cells, DebugLetters letters) {
    this.bytes = new int[cells];
    this.generation = new int[cells];
    this.poisoned = new boolean[cells];
    this.allocatedAt = letters.sites() ? new AllocationSite[cells] : null;
    this.freedAt = letters.sites() ? new AllocationSite[cells] : null;
  }

  void allocated(int cell, int generation, int bytes) {
    this.bytes[cell] = bytes;
    this.generation[cell] = generation;
    this.poisoned[cell] = false;
    if (allocatedAt != null) {
      allocatedAt[cell] = AllocationSite.here();
      freedAt[cell] = null;
    }
  }

  void freed(int cell) {
    bytes[cell] = 0;
    if (freedAt != null) {
      freedAt[cell] = AllocationSite.here();
    }
  }

  /** Returns where a cell was allocated and freed last, for the message of an error. */
  String sites(int cell) {
    return allocatedAt == null ? "" : AllocationSite.told(allocatedAt[cell], freedAt[cell]);
  }
}
