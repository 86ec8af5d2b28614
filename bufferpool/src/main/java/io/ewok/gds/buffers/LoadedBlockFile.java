package io.ewok.gds.buffers;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A file of immutable blocks that lie in the pool in another form than in the file: compressed
 * there, for instance. What is stored is read into frames of the pool that are free again when the
 * {@link BlockLoader} has made the block of it.
 *
 * <p>Ownership: whoever opened it closes it, after unfixing its blocks; its blocks leave the pool
 * then.
 *
 * <p>Threads: any, for all methods.
 */
public final class LoadedBlockFile extends BlockFile {
  private final BlockLoader loader;

  LoadedBlockFile(BufferManager manager, IoFile io, int number, BlockLoader loader) {
    super(manager, io, number);
    this.loader = loader;
  }

  /**
   * Fixes a block, shared.
   *
   * @param offset where what is stored starts in the file: anywhere, blocks may be packed
   * @param storedBytes its length, positive
   * @param lengthBytes the length of the block, positive; always the same for one offset
   * @param into an empty handle
   * @throws CorruptFileException if the loader refuses it, or the file ends within it
   * @throws IOException if it cannot be read
   * @throws PoolExhaustedException if there is no room
   * @throws IllegalArgumentException if the length differs from before, or what is read and the
   *     block do not fit into a partition of the pool
   */
  public void fix(long offset, int storedBytes, int lengthBytes, Fix into) throws IOException {
    if (!table.share(this, offset, lengthBytes, into)) { // what is there was checked when it came
      check(offset, storedBytes, lengthBytes);
      table.fix(this, offset, lengthBytes, storedBytes, PageTable.Access.SHARED, into);
    }
  }

  /**
   * Fixes a block, shared, if it is where it was once: cheaper than {@link #fix(long, int, int,
   * Fix)}, since it need not be found.
   *
   * @param offset as in {@link #fix(long, int, int, Fix)}
   * @param frame {@link Fix#frame} when it was fixed before; a wrong one does no harm
   * @param fetchedBytes so many first bytes of the block will be looked at: the processor fetches
   *     them all at once
   * @param into an empty handle
   * @return false if it is not there, or the latch is not to be had at once; then nothing is fixed
   */
  public boolean tryFixAt(long offset, int frame, int fetchedBytes, Fix into) {
    return table.shareAt(this, offset, frame, fetchedBytes, into);
  }

  /**
   * Lets a block be read without keeping anybody from evicting it, see {@link Fix} for what can be
   * believed; otherwise as {@link #fix(long, int, int, Fix)}.
   */
  public void fixOptimistic(long offset, int storedBytes, int lengthBytes, Fix into)
      throws IOException {
    if (!table.look(this, offset, lengthBytes, into)) { // what is there was checked when it came
      check(offset, storedBytes, lengthBytes);
      table.lookFurther(this, offset, lengthBytes, storedBytes, into);
    }
  }

  /**
   * Whether a block is in the pool and was fixed there since it came, scans aside. By the time the
   * caller knows, it may be gone.
   */
  public boolean isUsed(long offset) {
    return table.isUsed(this, offset);
  }

  /**
   * Puts a block into the pool, for whoever is about to write it to the file: then the first to fix
   * it need not read it. A hint: it is left out where that would take a wait or a write.
   *
   * @param offset where what is stored starts in the file
   * @param block what the loader makes of that
   * @param priority as in {@link Fix#withPriority}
   */
  public void put(long offset, MemorySegment block, Priority priority) {
    check(offset, 1, Math.toIntExact(block.byteSize()));
    table.put(this, offset, block, priority);
  }

  /**
   * Fixes blocks, as {@link #fix(long, int, int, Fix)} does one after the other; but what is not in
   * the pool is read at the same time, and made on this thread.
   *
   * @param offsets one for each block, as the lengths are
   * @param into as many empty handles; the first has the priority of all. After an exception they
   *     are empty
   */
  public void fix(long[] offsets, int[] storedBytes, int[] lengthsBytes, int count, Fix[] into)
      throws IOException {
    check(offsets, storedBytes, lengthsBytes, count);
    fixAll(
        count,
        into,
        binding(offsets, storedBytes, lengthsBytes),
        i -> fix(offsets[i], storedBytes[i], lengthsBytes[i], into[i]));
  }

  /**
   * Starts to read blocks that will be wanted soon, and returns. They are made on the thread on
   * which their reads end, the engine's perhaps. A hint: what fails is told when the block is
   * fixed; and there are read as many as have room without a write, into about a quarter of the
   * pool at most.
   *
   * @param offsets one for each block, as the lengths are
   * @param priority as in {@link Fix#withPriority}
   * @throws IllegalArgumentException as {@link #fix(long, int, int, Fix)}
   */
  public void prefetch(
      long[] offsets, int[] storedBytes, int[] lengthsBytes, int count, Priority priority) {
    check(offsets, storedBytes, lengthsBytes, count);
    int unused =
        manager.batchRead().start(count, priority, binding(offsets, storedBytes, lengthsBytes));
  }

  private BatchRead.Binding binding(long[] offsets, int[] stored, int[] lengths) {
    return (i, reader, priority) -> bind(offsets[i], stored[i], lengths[i], reader, priority);
  }

  /** Whether a block was in the pool a moment ago, or is being read; perhaps if it only just is. */
  boolean isThere(long offset) {
    return table.isThere(this, offset);
  }

  /** As {@link PageTable#bindAtOnce}. */
  Frame bind(long offset, int stored, int lengthBytes, Thread readerOrNull, Priority priority) {
    return table.bindAtOnce(
        this, offset, lengthBytes, readBytes(offset, stored), readerOrNull, priority);
  }

  private void check(long[] offsets, int[] storedBytes, int[] lengthsBytes, int count) {
    int least = Math.min(offsets.length, Math.min(storedBytes.length, lengthsBytes.length));
    Objects.checkFromIndexSize(0, count, least);
    for (int i = 0; i < count; i++) {
      check(offsets[i], storedBytes[i], lengthsBytes[i]);
    }
  }

  static void check(long offset, int storedBytes, int lengthBytes) {
    if (offset < 0 || storedBytes <= 0) {
      throw new IllegalArgumentException(
          "a stored block has a place and bytes: offset=%d storedBytes=%d"
              .formatted(offset, storedBytes));
    }
    if (lengthBytes <= 0) {
      throw new IllegalArgumentException("a block has bytes: lengthBytes=" + lengthBytes);
    }
  }

  /** From one multiple of the alignment to another. */
  @Override
  int readBytes(long offset, int storedBytes) {
    return Math.toIntExact(start(offset + storedBytes + alignmentBytes() - 1) - start(offset));
  }

  @Override
  void make(Frame frame) throws IOException {
    Frame staging = frame.load.staging;
    long before = frame.key - start(frame.key);
    MemorySegment stored =
        staging
            .region
            .segment()
            .asSlice(staging.regionOffset + before, frame.load.storedBytes - before);
    loader.load(path(), frame.key, stored, frame.segment);
  }
}
