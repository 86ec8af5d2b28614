package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.Errno;
import java.io.IOException;
import java.util.Objects;

/** The receiving or the sending half of a connection: one transfer after the other. */
final class TcpTransfer extends SocketOperation {
  private final TcpConnection connection;
  private final boolean sending;

  /** Leased while it is not null. */
  private Region memory;

  private long start;
  private int bytes;
  private int done;
  private TcpConnection.Callback callback;

  TcpTransfer(TcpConnection connection, boolean sending) {
    super(connection.socket, sending ? "send" : "receive");
    this.connection = connection;
    this.sending = sending;
  }

  /**
   * Starts a transfer.
   *
   * @param callback null if {@link #await} follows
   */
  void begin(Region region, long offset, int length, TcpConnection.Callback callback)
      throws IOException {
    if (length < 1) {
      throw new IllegalArgumentException("at least 1: length=" + length);
    }
    Objects.checkFromIndexSize(offset, length, region.sizeBytes());
    take();
    try {
      RegionLeases.take(region, offset, length);
      memory = region;
    } finally {
      if (memory == null) {
        giveUp();
      }
    }
    start = offset;
    bytes = length;
    this.callback = callback;
    done = 0;
    prepareAgain();
    start(callback == null);
  }

  @Override
  void prepareAgain() {
    if (sending) {
      prepareSend(socket.number, memory, start + done, bytes - done);
    } else {
      prepareReceive(socket.number, memory, start, bytes);
    }
  }

  @Override
  boolean isComplete(int result) {
    done += result;
    return !sending || result == 0 || done == bytes;
  }

  @Override
  int outcome(int result) {
    if (result < 0 || !sending) {
      return result;
    }
    // The kernel has no reason to take nothing; but nothing must not pass for all.
    return done == bytes ? bytes : -Errno.EIO;
  }

  @Override
  int transferred() {
    return done;
  }

  @Override
  void letGo(boolean memoryInUse) {
    if (memory != null && !memoryInUse) {
      RegionLeases.giveBack(memory, start, bytes);
    }
    memory = null;
  }

  @Override
  void tell(int result, IOException failure) {
    TcpConnection.Callback to = callback;
    int count = failure == null ? count(result) : done;
    callback = null;
    free();
    to.ended(connection, count, failure);
  }

  int awaitBytes(long timeoutNanos) throws IOException {
    try {
      return count(await(timeoutNanos));
    } finally {
      free();
    }
  }

  /** Returns the bytes of a result; -1 where the other side sends no more. */
  private static int count(int result) {
    return result == 0 ? -1 : result;
  }

  @Override
  String where() {
    return connection.where();
  }
}
