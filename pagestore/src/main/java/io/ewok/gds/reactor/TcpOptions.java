package io.ewok.gds.reactor;

import io.ewok.gds.ffm.LinuxSockets;
import java.io.IOException;

/**
 * How a connection sends and receives. Those that a listener accepts have the listener's.
 *
 * <p>Threads: any; immutable.
 *
 * <pre>{@code
 * TcpOptions options = TcpOptions.defaults().withBuffers(0, 4 << 20);
 * }</pre>
 *
 * <p>Errors: {@link IllegalArgumentException} for what cannot be, ending in {@code name=value}.
 *
 * @param noDelay whether small pieces are sent at once. The kernel else gathers them while an
 *     earlier one is under way: fewer packets, and each of them late
 * @param sendBufferBytes how much may be on its way before a send waits; 0 for what the kernel
 *     thinks fit, which grows with the connection
 * @param receiveBufferBytes how much may have arrived before the other side has to wait; 0 as above
 */
public record TcpOptions(boolean noDelay, int sendBufferBytes, int receiveBufferBytes) {
  /** Checks. */
  public TcpOptions {
    if (sendBufferBytes < 0) {
      throw new IllegalArgumentException("at least 0: sendBufferBytes=" + sendBufferBytes);
    }
    if (receiveBufferBytes < 0) {
      throw new IllegalArgumentException("at least 0: receiveBufferBytes=" + receiveBufferBytes);
    }
  }

  /** Returns the defaults: nothing is delayed, and the kernel chooses the buffers. */
  public static TcpOptions defaults() {
    return new TcpOptions(true, 0, 0);
  }

  /** Returns these with or without delay. */
  public TcpOptions withNoDelay(boolean noDelay) {
    return new TcpOptions(noDelay, sendBufferBytes, receiveBufferBytes);
  }

  /** Returns these with other buffers. */
  public TcpOptions withBuffers(int sendBufferBytes, int receiveBufferBytes) {
    return new TcpOptions(noDelay, sendBufferBytes, receiveBufferBytes);
  }

  void apply(int descriptor) throws IOException {
    LinuxSockets.setNoDelay(descriptor, noDelay);
    LinuxSockets.setBuffers(descriptor, sendBufferBytes, receiveBufferBytes);
  }
}
