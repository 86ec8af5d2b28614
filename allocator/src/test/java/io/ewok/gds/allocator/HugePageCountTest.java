package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HugePageCountTest {
  private static final long MIB = 1 << 20;

  @TempDir Path root;

  private long bytes(long from, long to) throws IOException {
    Path smaps = root.resolve("proc/self/smaps");
    Files.createDirectories(smaps.getParent());
    Files.writeString(
        smaps,
        """
        7f0000000000-7f0000800000 rw-p 00000000 00:00 0
        Size:               8192 kB
        AnonHugePages:      4096 kB
        Private_Hugetlb:       0 kB
        VmFlags: rd wr mr mw me ac hg
        7f0000800000-7f0000c00000 rw-p 00000000 00:0f 1234                       /anon_hugepage (deleted)
        AnonHugePages:         0 kB
        Shared_Hugetlb:     9999 kB
        Private_Hugetlb:    4096 kB
        7f0010000000-7f0010400000 rw-p 00000000 00:00 0
        AnonHugePages:      4096 kB
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
        AnonHugePages:      4096 kB
        """);
    return HugePageCount.bytes(root, from, to - from);
  }

  @Test
  void mappingsOfTheRangeAreSummed() throws IOException {
    assertEquals(4 * MIB, bytes(0x7f0000000000L, 0x7f0000800000L));
    assertEquals(4 * MIB, bytes(0x7f0000800000L, 0x7f0000c00000L));
    assertEquals(8 * MIB, bytes(0x7f0000000000L, 0x7f0000c00000L));
    assertEquals(0, bytes(0x7f0000c00000L, 0x7f0010000000L));
  }

  @Test
  void rangeHasItsShareOfJoinedMapping() throws IOException {
    assertEquals(2 * MIB, bytes(0x7f0000400000L, 0x7f0000800000L));
    assertEquals(MIB, bytes(0x7f0000000000L, 0x7f0000200000L));
  }
}
