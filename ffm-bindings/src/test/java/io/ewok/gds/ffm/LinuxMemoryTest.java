package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class LinuxMemoryTest {

  private static final long HUGE_PAGE_BYTES = 2L << 20;
  private static final int MPOL_DEFAULT = 0;
  private static final int MPOL_BIND = 2;

  @Test
  void mappedMemoryIsZeroedAndBeginsAtTheAlignment() throws Exception {
    for (long alignment = 1; alignment <= 1L << 30; alignment <<= 5) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = LinuxMemory.map(100_000, alignment, arena);
        assertEquals(0, memory.address() % alignment);
        assertEquals(100_000, memory.byteSize());
        assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new byte[100_000])));
        memory.set(ValueLayout.JAVA_BYTE, 99_999, (byte) 1);
      }
    }
  }

  @Test
  void onlyTheAlignedRangeStaysMappedAndOnlyWhileTheArenaIsOpen() throws Exception {
    long before = mappedBytes();
    Arena arena = Arena.ofShared();
    MemorySegment memory = LinuxMemory.map(64L << 20, 1L << 30, arena);
    // Neighbouring mappings of the JVM merge with ours, so the sum is compared, with room for the
    // JVM's own.
    assertTrue(mappedBytes() - before < 512L << 20, "slack was not unmapped");
    assertTrue(isMapped(memory.address()));
    long address = memory.address();
    arena.close();
    assertTrue(!isMapped(address), "memory stayed mapped");
    assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void closedArenaLeavesNothingMapped() throws Exception {
    Arena arena = Arena.ofShared();
    arena.close();
    long before = mappedBytes();
    assertThrows(IllegalStateException.class, () -> LinuxMemory.map(8L << 30, 4096, arena));
    assertTrue(mappedBytes() - before < 4L << 30);
  }

  @Test
  void impossibleSizesAreRefused() {
    try (Arena arena = Arena.ofConfined()) {
      assertThrows(IllegalArgumentException.class, () -> LinuxMemory.map(0, 4096, arena));
      assertThrows(IllegalArgumentException.class, () -> LinuxMemory.map(4096, 3, arena));
      assertThrows(
          IllegalArgumentException.class, () -> LinuxMemory.map(4096, Long.MIN_VALUE, arena));
      assertThrows(
          IllegalArgumentException.class, () -> LinuxMemory.map(Long.MAX_VALUE, 4096, arena));
      ErrnoException e =
          assertThrows(ErrnoException.class, () -> LinuxMemory.map(1L << 62, 4096, arena));
      assertEquals("ENOMEM", e.errnoName());
    }
  }

  @Test
  void populatedMemoryIsResidentAndOnANode() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(HUGE_PAGE_BYTES, HUGE_PAGE_BYTES, arena);
      long[] addresses = {memory.address(), memory.address() + HUGE_PAGE_BYTES - 4096};
      for (int node : LinuxMemory.movePagesQuery(addresses)) {
        assertEquals(-Errno.ENOENT, node);
      }
      LinuxMemory.populate(memory);
      for (int node : LinuxMemory.movePagesQuery(addresses)) {
        assertTrue(node >= 0, "node=" + node);
      }
    }
  }

  @Test
  void boundMemoryReportsItsPolicyAndAbsentNodesAreRefused() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(HUGE_PAGE_BYTES, HUGE_PAGE_BYTES, arena);
      assertEquals(
          new LinuxMemory.MemoryPolicy(MPOL_DEFAULT, new BitSet()),
          LinuxMemory.getMempolicy(memory.address()));
      LinuxMemory.mbind(memory, MPOL_BIND, node(0), 0);
      assertEquals(
          new LinuxMemory.MemoryPolicy(MPOL_BIND, node(0)),
          LinuxMemory.getMempolicy(memory.address()));
      ErrnoException e =
          assertThrows(
              ErrnoException.class, () -> LinuxMemory.mbind(memory, MPOL_BIND, node(1023), 0));
      assertEquals(Errno.EINVAL, e.errno());
      assertThrows(
          IllegalArgumentException.class,
          () -> LinuxMemory.mbind(memory, MPOL_BIND, node(1024), 0));
    }
  }

  @Test
  void smallRangeCanBeLocked() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(4096, 4096, arena);
      LinuxMemory.lock(memory);
      assertTrue(LinuxMemory.movePagesQuery(new long[] {memory.address()})[0] >= 0);
    }
  }

  @Test
  void discardedMemoryIsZeroAndGoneUntilItIsTouched() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(HUGE_PAGE_BYTES, HUGE_PAGE_BYTES, arena);
      memory.fill((byte) 7);
      LinuxMemory.discard(memory);
      assertEquals(-Errno.ENOENT, LinuxMemory.movePagesQuery(new long[] {memory.address()})[0]);
      assertEquals(0, memory.get(ValueLayout.JAVA_LONG, HUGE_PAGE_BYTES - 8));
    }
  }

  @Test
  void lockedMemoryIsDiscardedOnlyAfterUnlocking() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(4096, 4096, arena);
      LinuxMemory.lock(memory);
      ErrnoException e = assertThrows(ErrnoException.class, () -> LinuxMemory.discard(memory));
      assertEquals(Errno.EINVAL, e.errno());
      LinuxMemory.unlock(memory);
      LinuxMemory.discard(memory);
    }
  }

  @Test
  void reservedAddressSpaceIsNotPromisedMemory() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.reserve(1L << 36, HUGE_PAGE_BYTES, arena);
      assertEquals(0, memory.address() % HUGE_PAGE_BYTES);
      memory.set(ValueLayout.JAVA_BYTE, (1L << 36) - 1, (byte) 1);
    }
  }

  @Test
  void emptyPoolOfHugePagesIsAnError() {
    try (Arena arena = Arena.ofConfined()) {
      // More than any machine of a test has.
      ErrnoException e =
          assertThrows(ErrnoException.class, () -> LinuxMemory.mapHugePages(1L << 46, arena));
      assertEquals("ENOMEM", e.errnoName());
      assertThrows(IllegalArgumentException.class, () -> LinuxMemory.mapHugePages(4096, arena));
    }
  }

  private static BitSet node(int node) {
    BitSet nodes = new BitSet();
    nodes.set(node);
    return nodes;
  }

  private static boolean isMapped(long address) throws Exception {
    // A page of anonymous memory has a policy; an address without a mapping is EFAULT.
    try {
      LinuxMemory.getMempolicy(address);
      return true;
    } catch (ErrnoException e) {
      assertEquals(Errno.EFAULT, e.errno());
      return false;
    }
  }

  private static long mappedBytes() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmSize:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
        .findFirst()
        .orElseThrow();
  }
}
