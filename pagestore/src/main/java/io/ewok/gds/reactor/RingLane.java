package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.liburing.Liburing;

/**
 * A ring with what is registered with it, and how an operation becomes one of its entries.
 *
 * <p>Threads: confined to the ring's.
 */
final class RingLane {
  final Ring ring;
  final RingBuffers buffers;
  final RingFiles files;

  RingLane(Ring ring) {
    this.ring = ring;
    buffers = new RingBuffers(ring);
    files = new RingFiles(ring);
  }

  /** Writes the entry of an operation, for the next enter. There has to be room. */
  void push(RingOperation operation, long userData) {
    Region region = operation.region;
    int opcode = operation.opcode;
    int buffer = -1;
    // The kernel takes atomic writes from memory that it maps for them alone.
    if ((opcode == RingOperation.READ || opcode == RingOperation.WRITE)
        && (operation.flags & LinuxFiles.RWF_ATOMIC) == 0) {
      buffer = buffers.slotOf(region);
      if (buffer >= 0) {
        opcode =
            opcode == RingOperation.READ
                ? Liburing.IORING_OP_READ_FIXED()
                : Liburing.IORING_OP_WRITE_FIXED();
      }
    }
    int file = files.slotOf(operation.descriptor);
    ring.push(
        opcode,
        file < 0 ? 0 : Liburing.IOSQE_FIXED_FILE(),
        file < 0 ? operation.descriptor : file,
        operation.offset,
        (region == null ? 0 : region.address()) + operation.regionOffset,
        operation.length,
        operation.flags,
        Math.max(0, buffer),
        userData);
  }
}
