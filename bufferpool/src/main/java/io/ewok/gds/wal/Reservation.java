package io.ewok.gds.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Who may fill which bytes of two blocks that are open by turns, and when a block is full of what
 * was reserved in it. Knows offsets only, no memory.
 *
 * <p>Threads: any reserve and fill. One at a time, the owner, opens, seals and settles.
 */
final class Reservation {
  /*
   * tail is one word: number of the block << 32 | SEALED | bytes reserved, its header included.
   * filled, one word for each of the two blocks, counts bytes that were filled since it was opened;
   * the owner takes the sum of all off it when he has sealed the block.
   *
   *   sealed --open-->    number + 1, first reservation   release
   *   open   --reserve--> more bytes                      compare-and-exchange
   *   open   --seal-->    sealed, bytes as they are       get-and-or
   *
   *   filled --filled-->  + bytes                         get-and-add, by who had reserved them
   *   filled --settle-->  - all bytes                     get-and-add, by the owner after seal
   *
   * Below zero, filled says that the owner waits: who brings it to zero tells him. So exactly one
   * of those who fill tells him if settle said that some were missing, and else nobody. At zero the
   * block is free of all who had reserved in it, and can be opened anew.
   *
   * Every method has one access by which it changes what others see; any order of these is a
   * possible run, and ReservationTest tries them all. The compare-and-exchange of reserve succeeds
   * on the word it has seen only, so the capacity it has read is that block's: the other writes of
   * the owner to it come after a later word. What was filled is visible to who settles, or is told,
   * by the get-and-adds on filled.
   */

  /** For {@link #reserve}: there is no room, or no block open. */
  static final long REFUSED = -1;

  private static final long SEALED = 1L << 31;
  private static final long BYTES = SEALED - 1;
  private static final int NUMBER = 32;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  // Words that different threads write lie 128 bytes apart.
  private static final int TAIL = 16;
  private static final int FILLED = 32;
  private static final int APART = 16;
  private static final int LENGTH = 80;

  private final int headerBytes;
  private final long[] words = new long[LENGTH];

  /** Written by the owner before the block is opened. */
  private final int[] capacity = new int[2];

  /** Creates it with no block open. */
  Reservation(int headerBytes) {
    this.headerBytes = headerBytes;
    words[TAIL] = SEALED | headerBytes;
  }

  /** Which of the two blocks a place is in. */
  static int block(long place) {
    return (int) (place >>> NUMBER) & 1;
  }

  /** Where in its block a place starts. */
  static int offset(long place) {
    return (int) (place & BYTES);
  }

  static boolean isOpen(long tail) {
    return (tail & SEALED) == 0;
  }

  /** The place that would be reserved next, or if it is not open, the end of the last block. */
  long tail() {
    return (long) WORD.getAcquire(words, TAIL);
  }

  /** Whether the block that is open has room. */
  boolean fits(int bytes) {
    long tail = tail();
    return isOpen(tail) && offset(tail) + bytes <= capacity[block(tail)];
  }

  /** Takes the next bytes of the open block; a place, or REFUSED. */
  long reserve(int bytes) {
    long tail = tail();
    while (isOpen(tail) && offset(tail) + bytes <= capacity[block(tail)]) {
      long seen = (long) WORD.compareAndExchange(words, TAIL, tail, tail + bytes);
      if (seen == tail) {
        return tail;
      }
      tail = seen;
    }
    return REFUSED;
  }

  /** Says that a place is filled. Returns whether the owner waits for that, and has to be told. */
  boolean filled(long place, int bytes) {
    long before = (long) WORD.getAndAdd(words, FILLED + block(place) * APART, (long) bytes);
    return before < 0 && before + bytes == 0;
  }

  /** Opens the block that was not open last, for the first who reserves in it. */
  long open(int capacityBytes, int bytes) {
    long place = ((words[TAIL] >>> NUMBER) + 1) << NUMBER | headerBytes;
    assert !isOpen(words[TAIL]) && (long) WORD.get(words, FILLED + block(place) * APART) == 0;
    capacity[block(place)] = capacityBytes;
    WORD.setRelease(words, TAIL, place + bytes);
    return place;
  }

  /** Lets nobody reserve any more. Returns the end of what was reserved. */
  long seal() {
    return (long) WORD.getAndBitwiseOr(words, TAIL, SEALED);
  }

  /**
   * Asks whether all is filled that was reserved in a block.
   *
   * @param end as {@link #seal} returned it
   * @return false if somebody will be told by {@link #filled} to tell the owner
   */
  boolean settle(long end) {
    long all = (long) offset(end) - headerBytes;
    return (long) WORD.getAndAdd(words, FILLED + block(end) * APART, -all) == all;
  }
}
