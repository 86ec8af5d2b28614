package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.unchecked.Pieces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Pieces of memory of one length that a transfer fills or writes in their order, as a request keeps
 * them and as the kernel wants to be told of them (struct iovec). Reusable.
 *
 * <p>Threads: confined to whoever has the request.
 */
final class ScatteredMemory {
  private Region region;
  private long[] offsets = new long[0];
  private int count;
  private int pieceBytes;

  /** Stays until nobody can reach it, so also while the kernel reads it. */
  private MemorySegment pieces = MemorySegment.NULL;

  void set(Region region, long[] regionOffsets, int first, int count, int pieceBytes) {
    if (offsets.length < count) {
      int room = Math.max(count, 2 * offsets.length);
      offsets = new long[room];
      pieces = Arena.ofAuto().allocate(room * Pieces.ENTRY_BYTES, Long.BYTES);
    }
    System.arraycopy(regionOffsets, first, offsets, 0, count);
    this.region = region;
    this.count = count;
    this.pieceBytes = pieceBytes;
  }

  int count() {
    return count;
  }

  int pieceBytes() {
    return pieceBytes;
  }

  long offset(int piece) {
    return offsets[piece];
  }

  /** Leases all pieces, or on an exception none. */
  void lease() {
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

  void giveBack() {
    giveBack(count);
  }

  private void giveBack(int leased) {
    for (int i = 0; i < leased; i++) {
      RegionLeases.giveBack(region, offsets[i], pieceBytes);
    }
  }

  /**
   * Tells the kernel of what comes after some bytes; valid until the next call.
   *
   * @param done bytes that are done with, fewer than all
   * @return the array, which {@link #countFrom} says how much of is to be used
   */
  MemorySegment from(int done) {
    int first = done / pieceBytes;
    int used = countFrom(done);
    for (int i = first; i < first + used; i++) {
      tell(i, 0);
    }
    tell(first, done % pieceBytes);
    return pieces.asSlice(first * Pieces.ENTRY_BYTES, used * Pieces.ENTRY_BYTES);
  }

  private void tell(int piece, int done) {
    pieces.setAtIndex(ValueLayout.JAVA_LONG, 2L * piece, region.address() + offsets[piece] + done);
    long length = Math.min(pieceBytes - done, TransferProgress.CALL_BYTES_MAX);
    pieces.setAtIndex(ValueLayout.JAVA_LONG, 2L * piece + 1, length);
  }

  /** Returns how many pieces, at most, the kernel is to have at once. */
  int countFrom(int done) {
    int most = Math.clamp(TransferProgress.CALL_BYTES_MAX / pieceBytes, 1, Pieces.COUNT_MAX);
    return Math.min(count - done / pieceBytes, most);
  }
}
