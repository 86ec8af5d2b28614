package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Where the data blocks of an index partition were in the pool when somebody fixed them last. Who
 * knows the ordinal of a block in the partition then needs neither its handle nor the pool's table:
 * a word for each block is all that is looked at.
 *
 * <p>A word has the offset of the block in the file, of which this is never wrong, and behind that
 * the frame, of which it may be; 0 if nothing is known.
 *
 * <p>Threads: any.
 */
final class BlockPlaces {
  /** Those that nobody keeps. */
  static final BlockPlaces NONE = new BlockPlaces(0);

  /** One more than the frame. Larger numbers are not kept. */
  private static final int FRAME_BITS = 28;

  private static final long FRAME_MASK = (1L << FRAME_BITS) - 1;
  private static final long OFFSET_MAX = -1L >>> FRAME_BITS;

  /** What a search looks at of a block of 4 KiB with values of 100 bytes. */
  private static final int FETCHED_BYTES = 1024;

  private final AtomicLongArray words;

  /** Of so many blocks; nothing is known yet. */
  BlockPlaces(int blocks) {
    words = new AtomicLongArray(blocks);
  }

  /** Fixes a block if it is where it was. */
  boolean tryFix(int ordinal, LoadedBlockFile file, Fix into) {
    long word = ordinal < words.length() ? words.getOpaque(ordinal) : 0;
    return word != 0
        && file.tryFixAt(word >>> FRAME_BITS, (int) (word & FRAME_MASK) - 1, FETCHED_BYTES, into);
  }

  /** Keeps where a block is. */
  void put(int ordinal, long offset, int frame) {
    if (ordinal < words.length() && offset <= OFFSET_MAX && frame < FRAME_MASK) {
      words.setOpaque(ordinal, offset << FRAME_BITS | frame + 1);
    }
  }
}
