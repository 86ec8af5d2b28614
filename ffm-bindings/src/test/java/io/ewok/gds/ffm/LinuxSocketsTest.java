package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import org.junit.jupiter.api.Test;

class LinuxSocketsTest {

  @Test
  void listenerOfTheOldFamilyIsReached() throws Exception {
    listenerIsReached(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
  }

  @Test
  void listenerOfTheNewFamilyIsReached() throws Exception {
    byte[] bytes = new byte[16];
    bytes[15] = 1;
    InetAddress loopback = InetAddress.getByAddress(bytes);
    assumeTrue(NetworkInterface.getByInetAddress(loopback) != null, "no IPv6 here");
    listenerIsReached(loopback);
  }

  private static void listenerIsReached(InetAddress host) throws Exception {
    int listener = LinuxSockets.open(host);
    try {
      assertEquals(0, LinuxSockets.localPort(listener));
      LinuxSockets.setNoDelay(listener, true);
      LinuxSockets.listen(listener, new InetSocketAddress(host, 0), 4);
      int port = LinuxSockets.localPort(listener);
      assertTrue(port > 0, "port=" + port);
      try (Socket client = new Socket(host, port)) {
        assertTrue(client.isConnected());
      }

      int second = LinuxSockets.open(host);
      try {
        ErrnoException taken =
            assertThrows(
                ErrnoException.class,
                () -> LinuxSockets.listen(second, new InetSocketAddress(host, port), 4));
        assertEquals("EADDRINUSE", taken.errnoName());
      } finally {
        LinuxFiles.close(second);
      }
    } finally {
      LinuxFiles.close(listener);
    }
  }

  @Test
  void aSocketThatNobodyIsAtTheOtherEndOfSaysSo() throws Exception {
    int socket = LinuxSockets.open(InetAddress.getLoopbackAddress());
    try {
      LinuxSockets.setBuffers(socket, 1 << 16, 0);
      ErrnoException alone = assertThrows(ErrnoException.class, () -> LinuxSockets.peer(socket));
      assertEquals("ENOTCONN", alone.errnoName());
      assertThrows(ErrnoException.class, () -> LinuxSockets.shutdownSending(socket));
    } finally {
      LinuxFiles.close(socket);
    }
  }

  @Test
  void addressIsWrittenAsTheKernelTakesIt() throws Exception {
    InetAddress host = InetAddress.getByAddress(new byte[] {10, 1, 2, 3});
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(LinuxSockets.addressBytesMax());
      assertEquals(16, LinuxSockets.address(new InetSocketAddress(host, 0x1234), bytes));
      byte[] expected = {0x12, 0x34, 10, 1, 2, 3};
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], bytes.get(ValueLayout.JAVA_BYTE, 2 + i));
      }
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> LinuxSockets.address(new InetSocketAddress(host, 1), bytes.asSlice(0, 16)));
      assertThrows(
          IllegalArgumentException.class,
          () -> LinuxSockets.address(InetSocketAddress.createUnresolved("name.invalid", 1), bytes));
    }
  }
}
