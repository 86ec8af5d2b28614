package io.ewok.gds.reactor;

import io.ewok.gds.ffm.liburing.Liburing;

/**
 * What a ring would be told of an operation, for tests elsewhere.
 *
 * @param flags of a read or write
 */
public record PreparedOperation(boolean sync, long offset, int length, int flags) {
  public static PreparedOperation of(RingOperation operation) {
    return new PreparedOperation(
        operation.opcode == Liburing.IORING_OP_FSYNC(),
        operation.offset,
        operation.length,
        operation.flags);
  }

  /** Has the operation end. Returns whether it wants to go on. */
  public static boolean complete(RingOperation operation, int result) {
    return operation.completed(result);
  }
}
