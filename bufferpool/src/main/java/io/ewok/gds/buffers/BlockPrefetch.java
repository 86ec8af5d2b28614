package io.ewok.gds.buffers;

import io.ewok.gds.buffers.eviction.Priority;
import java.util.Arrays;
import java.util.Objects;

/**
 * Blocks that will be wanted soon, of any files of one {@link BufferManager}: collected here, and
 * then read at the same time, as {@link LoadedBlockFile#prefetch} does with those of one file.
 * Reusable; it grows with the most that are collected.
 *
 * <p>Ownership: none; the files are the caller's, and open until {@link #start} has returned.
 *
 * <p>Threads: confined to one at a time.
 *
 * {@snippet :
 * prefetch.add(first, 4096, 2000, 4096);
 * prefetch.add(second, 0, 1500, 4096);
 * int read = prefetch.start(Priority.NORMAL);
 * }
 */
public final class BlockPrefetch {
  private static final int CAPACITY_MIN = 16;

  private LoadedBlockFile[] files = new LoadedBlockFile[CAPACITY_MIN];
  private long[] offsets = new long[CAPACITY_MIN];
  private int[] storedBytes = new int[CAPACITY_MIN];
  private int[] lengthsBytes = new int[CAPACITY_MIN];
  private int count;

  /** Nothing is collected yet. */
  public BlockPrefetch() {}

  /** How many blocks are collected. */
  public int count() {
    return count;
  }

  /**
   * Adds a block, unless it is in the pool.
   *
   * @param offset as the others of {@link LoadedBlockFile#fix(long, int, int, Fix)}
   * @return whether it was added
   * @throws IllegalArgumentException if these are none of a block, or the file is another manager's
   *     than that of the block before
   */
  public boolean add(LoadedBlockFile file, long offset, int stored, int lengthBytes) {
    Objects.requireNonNull(file, "file");
    LoadedBlockFile.check(offset, stored, lengthBytes);
    if (count > 0 && files[0].manager != file.manager) {
      throw new IllegalArgumentException("the file is another manager's: path=" + file.path());
    }
    if (file.isThere(offset)) {
      return false;
    }
    if (count == files.length) {
      files = Arrays.copyOf(files, 2 * count);
      offsets = Arrays.copyOf(offsets, 2 * count);
      storedBytes = Arrays.copyOf(storedBytes, 2 * count);
      lengthsBytes = Arrays.copyOf(lengthsBytes, 2 * count);
    }
    files[count] = file;
    offsets[count] = offset;
    storedBytes[count] = stored;
    lengthsBytes[count] = lengthBytes;
    count++;
    return true;
  }

  /**
   * Starts to read those that are not in the pool, and returns; nothing is collected then. They are
   * made on the thread on which their reads end, the engine's perhaps. A hint, as {@link
   * LoadedBlockFile#prefetch}.
   *
   * @return how many are read
   */
  public int start(Priority priority) {
    Objects.requireNonNull(priority, "priority");
    if (count == 0) {
      return 0;
    }
    try {
      return files[0].manager.batchRead().start(count, priority, this::bind);
    } finally {
      Arrays.fill(files, 0, count, null);
      count = 0;
    }
  }

  private Frame bind(int number, Thread readerOrNull, Priority priority) {
    return files[number].bind(
        offsets[number], storedBytes[number], lengthsBytes[number], readerOrNull, priority);
  }
}
