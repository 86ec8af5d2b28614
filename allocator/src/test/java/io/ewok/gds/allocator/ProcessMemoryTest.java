package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProcessMemoryTest {
  private static final long PHYSICAL_BYTES = 1000L << 10;

  /** Of the kernel, for "no limit" in version 1. */
  private static final String NO_LIMIT = "9223372036854771712";

  @TempDir private Path root;

  @BeforeEach
  void machineHasMemory() throws IOException {
    file("proc/meminfo", "MemTotal:           1000 kB\nMemFree:             900 kB\n");
  }

  private void file(String name, String text) throws IOException {
    Path path = root.resolve(name);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text, StandardCharsets.ISO_8859_1);
  }

  private void mounts(String... lines) throws IOException {
    file("proc/self/mountinfo", String.join("\n", lines) + "\n");
  }

  private void unified(String group) throws IOException {
    file("proc/self/cgroup", "0::" + group + "\n");
    mounts(
        "22 27 0:21 / /proc rw,relatime - proc proc rw",
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate");
  }

  private long limitBytes() {
    return ProcessMemory.limitBytes(root);
  }

  @Test
  void withoutGroupsItIsTheMachinesMemory() {
    assertEquals(PHYSICAL_BYTES, limitBytes());
  }

  @Test
  void groupOfVersionTwoLimits() throws IOException {
    unified("/app");
    file("sys/fs/cgroup/app/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
  }

  @Test
  void maxIsNoLimit() throws IOException {
    unified("/app");
    file("sys/fs/cgroup/app/memory.max", "max\n");
    assertEquals(PHYSICAL_BYTES, limitBytes());
  }

  @Test
  void limitAboveTheMachinesMemoryDoesNotCount() throws IOException {
    unified("/app");
    file("sys/fs/cgroup/app/memory.max", (PHYSICAL_BYTES + 1) + "\n");
    assertEquals(PHYSICAL_BYTES, limitBytes());
  }

  @Test
  void smallestOfNestedGroupsCounts() throws IOException {
    unified("/slice/app/worker");
    file("sys/fs/cgroup/slice/app/worker/memory.max", "max\n");
    file("sys/fs/cgroup/slice/app/memory.max", "8192\n");
    file("sys/fs/cgroup/slice/memory.max", "16384\n");
    assertEquals(8192, limitBytes());
    file("sys/fs/cgroup/slice/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
    file("sys/fs/cgroup/slice/app/worker/memory.max", "100\n");
    assertEquals(100, limitBytes());
  }

  @Test
  void nothingAboveTheMountIsRead() throws IOException {
    unified("/app");
    file("sys/fs/memory.max", "1\n");
    file("sys/fs/cgroup/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
  }

  @Test
  void groupsThatAreGoneAreSkipped() throws IOException {
    unified("/slice/app (deleted)");
    file("sys/fs/cgroup/slice/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
  }

  @Test
  void containerSeesItsOwnGroupAtTheTop() throws IOException {
    file("proc/self/cgroup", "0::/docker/4711/app\n");
    mounts(
        "30 23 0:26 /docker/4711 /sys/fs/cgroup ro - cgroup2 cgroup2 rw",
        "31 23 0:26 /docker/other /mnt/other ro - cgroup2 cgroup2 rw");
    file("sys/fs/cgroup/memory.max", "8192\n");
    file("sys/fs/cgroup/app/memory.max", "4096\n");
    file("mnt/other/memory.max", "1\n");
    assertEquals(4096, limitBytes());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/docker/4711", "/../outside", "/a/../../b", "relative", ""})
  void groupThatCannotBeSeenIsTheTop(String group) throws IOException {
    file("proc/self/cgroup", "0::" + group + "\n");
    mounts("30 23 0:26 /inside /sys/fs/cgroup ro - cgroup2 cgroup2 rw");
    file("sys/fs/cgroup/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
  }

  @Test
  void groupsOfVersionOneLimit() throws IOException {
    file("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/slice/app\n3:cpuset:/other\n0::/\n");
    mounts(
        "33 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset",
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpu,memory",
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
    file("sys/fs/cgroup/memory/slice/app/memory.limit_in_bytes", NO_LIMIT + "\n");
    file("sys/fs/cgroup/memory/slice/memory.limit_in_bytes", "4096\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "18446744073709551615\n");
    file("sys/fs/cgroup/cpuset/other/memory.limit_in_bytes", "1\n");
    assertEquals(4096, limitBytes());
    file("sys/fs/cgroup/memory/slice/app/memory.limit_in_bytes", "2048\n");
    assertEquals(2048, limitBytes());
    file("sys/fs/cgroup/unified/memory.max", "1024\n");
    assertEquals(1024, limitBytes());
  }

  @Test
  void mountPointsWithSpacesAreFound() throws IOException {
    file("proc/self/cgroup", "0::/app\n");
    mounts("30 23 0:26 / /my\\040groups\\134 rw - cgroup2 cgroup2 rw");
    file("my groups\\/app/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
  }

  @Test
  void strangeLinesAreSkipped() throws IOException {
    unified("/app");
    file("proc/self/cgroup", "\nnonsense\n0:\n\u00e4\u00ff::/x\n0::/app\n");
    mounts(
        "",
        "nonsense - ",
        "1 2 3 - cgroup2",
        "1 2 0:1 / relative rw - cgroup2 cgroup2 rw",
        "9 9 0:9 / /\u00ff\u00fe rw - tmpfs tmpfs rw",
        "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
    file("sys/fs/cgroup/app/memory.max", "4096\n");
    assertEquals(4096, limitBytes());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "lots", "-1", "12kB", "99999999999999999999999"})
  void limitThatIsNoNumberIsAnErrorThatNamesTheFile(String text) throws IOException {
    unified("/app");
    file("sys/fs/cgroup/app/memory.max", text + "\n");
    UncheckedIOException e = assertThrows(UncheckedIOException.class, this::limitBytes);
    assertTrue(
        e.getCause()
            .getMessage()
            .endsWith("file=" + root.resolve("sys/fs/cgroup/app/memory.max") + " text=" + text),
        e.getCause().getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "MemTotal: lots kB\n", "MemTotal: 99999999999999999999 kB\n"})
  void machineWithoutMemoryIsAnErrorThatNamesTheFile(String text) throws IOException {
    file("proc/meminfo", text);
    UncheckedIOException e = assertThrows(UncheckedIOException.class, this::limitBytes);
    assertTrue(
        e.getCause().getMessage().endsWith("file=" + root.resolve("proc/meminfo")),
        e.getCause().getMessage());
    Files.delete(root.resolve("proc/meminfo"));
    assertThrows(UncheckedIOException.class, this::limitBytes);
  }

  @Test
  void thisProcessHasALimit() {
    long limitBytes = ProcessMemory.limitBytes();
    assertTrue(limitBytes > 64 << 20, "limitBytes=" + limitBytes);
    assertTrue(limitBytes < 1L << 50, "limitBytes=" + limitBytes);
  }
}
