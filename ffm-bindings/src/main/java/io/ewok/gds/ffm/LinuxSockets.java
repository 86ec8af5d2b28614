package io.ewok.gds.ffm;

import static io.ewok.gds.ffm.ErrnoException.check;

import io.ewok.gds.ffm.natives.Gds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Objects;

/**
 * TCP sockets by descriptor, as far as io_uring does not make them: open, address, listen. Their
 * transfers go through a ring, so they block: a non-blocking one would end each with EAGAIN.
 *
 * <p>A descriptor belongs to who opened it and is closed once, by {@link #close}.
 *
 * <p>Threads: any. No call waits for the network.
 *
 * {@snippet :
 * int listener = LinuxSockets.open(address.getAddress());
 * LinuxSockets.listen(listener, address, 16);
 * int port = LinuxSockets.localPort(listener);
 * }
 *
 * <p>Errors: {@link ErrnoException} with what the kernel said.
 */
public final class LinuxSockets {
  private static final int ADDRESS_BYTES_MAX = 16;

  private LinuxSockets() {}

  /** Room for any address that {@link #address} writes. */
  public static long addressBytesMax() {
    return Gds.GDS_SOCKET_ADDRESS_BYTES();
  }

  /** Opens a TCP socket of the address's family; a started process does not inherit it. */
  public static int open(InetAddress family) throws ErrnoException {
    return (int) check("socket", Gds.gds_socket(family.getAddress().length));
  }

  /**
   * Writes an address as the kernel takes it.
   *
   * @param target off-heap memory of at least {@link #addressBytesMax}
   * @return the bytes written
   * @throws IllegalArgumentException if the address is a name that was not resolved
   */
  public static int address(InetSocketAddress address, MemorySegment target) throws ErrnoException {
    Objects.checkFromIndexSize(0, addressBytesMax(), target.byteSize());
    InetAddress ip = address.getAddress();
    if (ip == null) {
      throw new IllegalArgumentException("the address is not resolved: address=" + address);
    }
    int scope = ip instanceof Inet6Address v6 ? v6.getScopeId() : 0;
    byte[] bytes = ip.getAddress();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      return (int)
          check(
              "socket address",
              Gds.gds_socket_address(target, copy, bytes.length, address.getPort(), scope));
    }
  }

  /**
   * Binds and listens.
   *
   * @param address port 0 for one that is free
   * @param backlog connections that may wait to be accepted
   * @throws ErrnoException EADDRINUSE where another socket listens there
   */
  public static void listen(int fd, InetSocketAddress address, int backlog) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(addressBytesMax(), Long.BYTES);
      int length = address(address, bytes);
      check("listen", Gds.gds_bind_and_listen(fd, bytes, length, backlog));
    }
  }

  /** The port that the socket is bound to; 0 if none. */
  public static int localPort(int fd) throws ErrnoException {
    return (int) check("getsockname", Gds.gds_socket_port(fd));
  }

  /** Sends small pieces at once instead of gathering them (TCP_NODELAY). */
  public static void setNoDelay(int fd, boolean on) throws ErrnoException {
    check("setsockopt", Gds.gds_socket_no_delay(fd, on ? 1 : 0));
  }

  /**
   * Sets the room for bytes that are on their way; the kernel takes twice as much for its own
   * account, within its limits. Before listening or connecting, for those to be told how much there
   * is.
   *
   * @param sendBytes 0 to leave what the kernel has chosen, and goes on choosing
   * @param receiveBytes as {@code sendBytes}
   */
  public static void setBuffers(int fd, int sendBytes, int receiveBytes) throws ErrnoException {
    check("setsockopt", Gds.gds_socket_buffers(fd, sendBytes, receiveBytes));
  }

  /** Tells the other side that nothing more is sent. What was sent still arrives. */
  public static void shutdownSending(int fd) throws ErrnoException {
    check("shutdown", Gds.gds_socket_shutdown_sending(fd));
  }

  /**
   * Who is at the other end.
   *
   * @throws ErrnoException ENOTCONN where nobody is, any more
   */
  public static InetSocketAddress peer(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(ADDRESS_BYTES_MAX);
      int found = (int) check("getpeername", Gds.gds_socket_peer(fd, bytes));
      byte[] address = bytes.asSlice(0, found >> Short.SIZE).toArray(ValueLayout.JAVA_BYTE);
      return new InetSocketAddress(InetAddress.getByAddress(address), found & 0xffff);
    } catch (UnknownHostException e) {
      throw new AssertionError("4 or 16 bytes are an address", e);
    }
  }

  /**
   * Closes a socket. What was sent still arrives, unless something has arrived here that nobody
   * took: then the other side is told that the connection was reset.
   *
   * @throws ErrnoException EBADF for a number that was not open
   */
  public static void close(int fd) throws ErrnoException {
    LinuxFiles.closeNow(fd);
  }
}
