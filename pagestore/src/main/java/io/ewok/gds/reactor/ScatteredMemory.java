package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.unchecked.Pieces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Pieces of memory of one length that a transfer fills or writes in their order, and how the kernel
 * is told of them. Reusable; allocates when there are more pieces than before.
 *
 * <p>Ownership: its own native memory stays for as long as somebody can reach it, so also while the
 * kernel reads it. The pieces are kept in place by {@link #lease}.
 *
 * <p>Threads: one at a time, that of whoever has the transfer.
 *
 * <pre>{@code
 * memory.set(region, offsets, 0, count, 4096);
 * operation.prepareRead(fd, offset, memory, 0, 512 << 10);
 * }</pre>
 *
 * <p>Errors: {@link IndexOutOfBoundsException} for a piece outside of the region.
 */
public final class ScatteredMemory {
  private Region region;
  private long[] offsets = new long[0];
  private int count;
  private int pieceBytes;

  /** What the kernel is told: an address and a length of each. */
  private MemorySegment entries = MemorySegment.NULL;

  /** Creates one without pieces. */
  public ScatteredMemory() {}

  /**
   * Says where the pieces are.
   *
   * @param regionOffsets in bytes; copied
   * @param first the first of the array that counts
   * @param count how many do
   * @param pieceBytes the length of each, at least 1
   */
  public void set(Region region, long[] regionOffsets, int first, int count, int pieceBytes) {
    Objects.checkFromIndexSize(first, count, regionOffsets.length);
    Objects.checkIndex(0, pieceBytes);
    for (int i = first; i < first + count; i++) {
      Objects.checkFromIndexSize(regionOffsets[i], pieceBytes, region.sizeBytes());
    }
    if (offsets.length < count) {
      int room = Math.max(count, 2 * offsets.length);
      offsets = new long[room];
      entries = Arena.ofAuto().allocate(room * Pieces.ENTRY_BYTES, Long.BYTES);
    }
    System.arraycopy(regionOffsets, first, offsets, 0, count);
    this.region = region;
    this.count = count;
    this.pieceBytes = pieceBytes;
  }

  /** Returns the byte offset of a piece in the region. */
  public long offset(int piece) {
    Objects.checkIndex(piece, count);
    return offsets[piece];
  }

  /** Keeps all pieces in place, or on an exception none; as {@link RegionLeases#take}. */
  public void lease() {
    int leased = 0;
    try {
      for (; leased < count; leased++) {
        RegionLeases.take(region, offsets[leased], pieceBytes);
      }
    } finally {
      if (leased < count) {
        giveBack(leased);
      }
    }
  }

  /** Undoes {@link #lease}. */
  public void giveBack() {
    giveBack(count);
  }

  private void giveBack(int leased) {
    for (int i = 0; i < leased; i++) {
      RegionLeases.giveBack(region, offsets[i], pieceBytes);
    }
  }

  /**
   * Returns what the kernel is told of the memory after some bytes, as an array of {@code struct
   * iovec}; valid until the next call.
   *
   * @param done bytes that are done with, fewer than all
   * @param bytesMax about what the kernel is to have at once, at least a byte
   */
  public MemorySegment entries(int done, int bytesMax) {
    int first = done / pieceBytes;
    int used = Math.min(count - first, Math.clamp(bytesMax / pieceBytes, 1, Pieces.COUNT_MAX));
    int doneOfFirst = done % pieceBytes;
    tell(first, doneOfFirst, Math.min(pieceBytes - doneOfFirst, bytesMax));
    for (int i = first + 1; i < first + used; i++) {
      tell(i, 0, pieceBytes);
    }
    return entries.asSlice(first * Pieces.ENTRY_BYTES, used * Pieces.ENTRY_BYTES).asReadOnly();
  }

  private void tell(int piece, int done, int bytes) {
    entries.setAtIndex(ValueLayout.JAVA_LONG, 2L * piece, region.address() + offsets[piece] + done);
    entries.setAtIndex(ValueLayout.JAVA_LONG, 2L * piece + 1, bytes);
  }
}
