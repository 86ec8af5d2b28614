package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A root, an index partition or a filter that somebody has seen in the pool: where it was, and what
 * its header says. As long as it is still there, {@link Fix#fixAgain} has it without looking for
 * it, and without a latch: what is read of it may be believed, and offsets in it followed, once the
 * reader's fix has been validated.
 *
 * <p>Threads: any; published as volatile.
 */
final class BlockHint {
  private static final AtomicReferenceArray<BlockHint> NONE = new AtomicReferenceArray<>(0);

  /** In the place of a filter that there is not. */
  static final BlockHint NO_FILTER = new BlockHint(0, BlockPlaces.NONE);

  /** Optimistic, to be fixed again; nobody fixes or unfixes with it. */
  final Fix fix = new Fix();

  final BlockView view = new BlockView();

  /** Of a root: by number of the partition, null where nobody has seen it. */
  final AtomicReferenceArray<BlockHint> indexes;

  /** Likewise. */
  final AtomicReferenceArray<BlockHint> filters;

  /** Of an index partition: where the data blocks were last. */
  final BlockPlaces places;

  /** Where it is, and at which place there; set by {@link BlockHints} before anybody sees it. */
  AtomicReferenceArray<BlockHint> home;

  int place;

  /** Its place among all hints, likewise. */
  int number;

  private long address;
  private int filterLines;
  private int filterProbes;

  private BlockHint(int partitions, BlockPlaces places) {
    this.places = places;
    indexes = partitions == 0 ? NONE : new AtomicReferenceArray<>(partitions);
    filters = partitions == 0 ? NONE : new AtomicReferenceArray<>(partitions);
  }

  /** One that a reader keeps for blocks that he has latched, see {@link #lend}. */
  static BlockHint ofReader() {
    return new BlockHint(0, BlockPlaces.NONE);
  }

  /**
   * A hint for a root, a partition or a filter that is fixed.
   *
   * @param staleOrNull one of the same block, which was somewhere else then
   * @return null if it is fixed optimistically, and another block is there by now
   */
  static BlockHint of(Fix fixed, int type, boolean latched, BlockHint staleOrNull) {
    long address = fixed.address();
    int partitions = type == TableFormat.TYPE_ROOT ? BlockView.count(address) : 0;
    int blocks = type == TableFormat.TYPE_INDEX ? BlockView.count(address) : 0;
    if (!fixed.validate()) {
      return null; // before so much memory is asked for
    }
    BlockPlaces places =
        blocks == 0
            ? BlockPlaces.NONE
            : staleOrNull != null ? staleOrNull.places : new BlockPlaces(blocks);
    BlockHint hint = new BlockHint(partitions, places);
    if (latched) {
      hint.look(address, type);
      return hint;
    }
    if (type == TableFormat.TYPE_FILTER) {
      hint.lookAtFilter(address);
    } else {
      hint.view.attach(address, hint.fix);
      if (!fixed.validate()) {
        return null; // the prefix may seem to be anywhere
      }
      hint.view.keepPrefix();
    }
    hint.address = address;
    return hint.fix.fixAgain(fixed) ? hint : null;
  }

  /**
   * Is one for a partition or a filter that is latched, as long as that is: so that who does
   * without a hint makes no garbage either. Where data blocks were is not known then.
   */
  BlockHint lend(Fix latched, int type) {
    look(latched.address(), type);
    return this;
  }

  private void look(long block, int type) {
    address = block;
    if (type == TableFormat.TYPE_FILTER) {
      lookAtFilter(block);
    } else {
      view.attach(block);
    }
  }

  private void lookAtFilter(long block) {
    filterLines = FilterView.lines(block);
    filterProbes = FilterView.probes(block);
  }

  /** Whether a key of this hash may be in the partition whose filter this is. */
  boolean mayContain(long hash) {
    return FilterView.mayContain(address, filterLines, filterProbes, hash);
  }
}
