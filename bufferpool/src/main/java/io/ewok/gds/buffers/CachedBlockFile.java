package io.ewok.gds.buffers;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;
import java.util.Objects;

/**
 * A file of immutable blocks, read through the pool. A block begins anywhere and has any length
 * that the file's alignment allows; where blocks begin is known to the caller alone.
 *
 * <p>Ownership: whoever opened it closes it, after unfixing its blocks; its blocks leave the pool
 * then.
 *
 * <p>Threads: any, for all methods.
 */
public final class CachedBlockFile extends BlockFile {
  private final BlockVerifier verifier;

  CachedBlockFile(BufferManager manager, IoFile io, int number, BlockVerifier verifier) {
    super(manager, io, number);
    this.verifier = verifier;
  }

  /**
   * Fixes a block, shared.
   *
   * @param offset where it starts in the file, a multiple of {@link #alignmentBytes()}
   * @param lengthBytes its length, a positive multiple of the same; always the same for one offset
   * @param into an empty handle
   * @throws CorruptFileException if the verifier refuses it, or the file ends within it
   * @throws IOException if it cannot be read
   * @throws PoolExhaustedException if there is no room
   * @throws IllegalArgumentException if offset or length are not such multiples, or the length
   *     differs from before
   */
  public void fix(long offset, int lengthBytes, Fix into) throws IOException {
    if (!table.share(this, offset, lengthBytes, into)) { // what is there was checked when it came
      check(offset, lengthBytes);
      table.fix(this, offset, lengthBytes, PageTable.Access.SHARED, into);
    }
  }

  /**
   * Lets a block be read without keeping anybody from evicting it, see {@link Fix} for what can be
   * believed; otherwise as {@link #fix(long, int, Fix)}.
   */
  public void fixOptimistic(long offset, int lengthBytes, Fix into) throws IOException {
    if (!table.look(this, offset, lengthBytes, into)) { // what is there was checked when it came
      check(offset, lengthBytes);
      table.lookFurther(this, offset, lengthBytes, 0, into);
    }
  }

  /**
   * Fixes blocks, as {@link #fix(long, int, Fix)} does one after the other; but what is not in the
   * pool is read at the same time.
   *
   * @param offsets one for each block, as the lengths are
   * @param into as many empty handles; the first has the priority of all. After an exception they
   *     are empty
   */
  public void fix(long[] offsets, int[] lengthsBytes, int count, Fix[] into) throws IOException {
    check(offsets, lengthsBytes, count);
    fixAll(
        count,
        into,
        binding(offsets, lengthsBytes),
        i -> fix(offsets[i], lengthsBytes[i], into[i]));
  }

  /**
   * Starts to read blocks that will be wanted soon, and returns. A hint: what fails is told when
   * the block is fixed; and there are read as many as have room without a write, into about a
   * quarter of the pool at most.
   *
   * @param offsets one for each block, as the lengths are
   * @param priority as in {@link Fix#withPriority}
   * @throws IllegalArgumentException as {@link #fix(long, int, Fix)}
   */
  public void prefetch(long[] offsets, int[] lengthsBytes, int count, Priority priority) {
    check(offsets, lengthsBytes, count);
    int unused = manager.batchRead().start(count, priority, binding(offsets, lengthsBytes));
  }

  private BatchRead.Binding binding(long[] offsets, int[] lengths) {
    return (i, reader, priority) ->
        table.bindAtOnce(this, offsets[i], lengths[i], 0, reader, priority);
  }

  private void check(long[] offsets, int[] lengthsBytes, int count) {
    Objects.checkFromIndexSize(0, count, Math.min(offsets.length, lengthsBytes.length));
    for (int i = 0; i < count; i++) {
      check(offsets[i], lengthsBytes[i]);
    }
  }

  private void check(long offset, int lengthBytes) {
    int alignment = alignmentBytes();
    if (offset < 0 || lengthBytes <= 0 || ((offset | lengthBytes) & alignment - 1) != 0) {
      throw new IllegalArgumentException(
          "a block has the file's alignment: alignmentBytes=%d offset=%d lengthBytes=%d"
              .formatted(alignment, offset, lengthBytes));
    }
  }

  @Override
  void make(Frame frame) throws IOException {
    verifier.verify(path(), frame.key, frame.readOnly());
  }
}
