package io.ewok.gds.lsm;

import io.ewok.gds.buffers.Fix;
import java.lang.foreign.MemorySegment;

/**
 * What one get needs besides its stack: reused, so that gets make no garbage.
 *
 * <p>Threads: confined to one at a time, except {@link #consumerThread}.
 */
final class ReadContext {
  final Fix index = new Fix();
  final Fix data = new Fix();
  final BlockView view = new BlockView();

  /** Address of the entry that was found. */
  long entry;

  /** The thread that is in a user's callback now, or null. Read by the thread that closes. */
  volatile Thread consumerThread;

  /** The value of the entry that was found, where it lies; null if it is a delete. */
  MemorySegment value() {
    if (RecordKind.kind(BlockView.stamp(entry)) == RecordKind.DELETE) {
      return null;
    }
    return data.segment()
        .asSlice(BlockView.valueAddress(entry) - view.address(), BlockView.valueBytes(entry));
  }

  void unfix() {
    if (index.isFixed()) {
      index.close();
    }
    if (data.isFixed()) {
      data.close();
    }
  }
}
