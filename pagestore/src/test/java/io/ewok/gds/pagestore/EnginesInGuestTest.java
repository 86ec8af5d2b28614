package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.testing.VirtualMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Engines on machines that this one is not. Runs where {@code -Dgds.test.vm=COMMAND} names a
 * program that starts a virtual machine, takes {@code --sysctl}, {@code --memlock}, {@code --lbs},
 * {@code --atomic}, {@code --fs}, {@code --mkfs} and {@code --nodes}, sees this machine's files,
 * and runs what follows {@code --}. The machine has one NVMe disk. Where it is mounted is said by
 * {@code -Dgds.test.vm.folder=FOLDER}, {@code /scratch} unless it is said.
 */
@EnabledIfSystemProperty(named = VirtualMachine.RUNNER, matches = ".+")
class EnginesInGuestTest {
  private static final String FILE =
      System.getProperty(VirtualMachine.RUNNER + ".folder", "/scratch") + "/data";
  private static final String DEVICE = "/dev/nvme0n1";

  @TempDir Path directory;

  /** Runs {@link EngineGuest} in a new machine; returns what it told. */
  private Map<String, String> guest(String path, String... machine) throws Exception {
    String text = VirtualMachine.run(directory, List.of(machine), EngineGuest.class, List.of(path));
    Map<String, String> told = new TreeMap<>();
    text.lines()
        .filter(line -> line.startsWith(EngineGuest.PREFIX))
        .map(line -> line.substring(EngineGuest.PREFIX.length()).split("=", 2))
        .forEach(fact -> told.put(fact[0], fact[1]));
    return told;
  }

  private static void assertWorked(Map<String, String> told) {
    assertEquals("true", told.get("direct"), told.toString());
    assertEquals("65536", told.get("read"), told.toString());
    assertEquals("true", told.get("hole"), told.toString());
    assertEquals(told.get("opened"), told.get("openedWithFixedBuffers"), told.toString());
  }

  @Test
  void poolIsTakenWhereTheSysctlForbidsTheRing() throws Exception {
    Map<String, String> told = guest(FILE, "--sysctl", "kernel.io_uring_disabled=2");
    assertEquals("POOL", told.get("engine"), told.toString());
    assertEquals("DISABLED_BY_SYSCTL", told.get("code"), told.toString());
    assertTrue(told.get("reason").endsWith("kernel.io_uring_disabled=2"), told.toString());
    assertWorked(told);
  }

  @Test
  void smallMemlockCostsFixedBuffersAndSaysSo() throws Exception {
    Map<String, String> told = guest(FILE, "--memlock", "64");
    assertEquals("URING", told.get("engine"), told.toString());
    String description = told.get("description");
    assertTrue(description.contains("needBytes=1048576 haveBytes=65536"), description);
    assertWorked(told);
  }

  @Test
  void alignmentIsThatOfTheDisk() throws Exception {
    for (String fs : List.of("xfs", "ext4")) {
      for (String bytes : List.of("512", "4096")) {
        Map<String, String> told = guest(FILE, "--fs", fs, "--lbs", bytes);
        assertEquals("URING", told.get("engine"), told.toString());
        assertEquals(bytes, told.get("alignment"), told.toString());
        assertWorked(told);
      }
    }
  }

  @Test
  void atomicWritesAreThoseOfTheDisk() throws Exception {
    Map<String, String> told =
        guest(FILE, "--atomic", "65536", "--fs", "ext4", "--mkfs", "-O bigalloc -C 65536");
    assertEquals("65536", told.get("atomicMax"), told.toString());
    assertEquals("65536", told.get("atomicWritten"), told.toString());
    assertWorked(told);
  }

  @Test
  void transfersToTheOtherNodeAreCounted() throws Exception {
    Map<String, String> told = guest(FILE, "--nodes", "2", "--mem-per-node", "1024");
    assertEquals(told.get("transfers"), told.get("remote"), told.toString());
    assertWorked(told);
  }

  @Test
  void rawDiskIsUsed() throws Exception {
    Map<String, String> told = guest(DEVICE, "--fs", "none", "--lbs", "4096", "--atomic", "16384");
    assertEquals("true", told.get("device"), told.toString());
    assertEquals("4096", told.get("alignment"), told.toString());
    assertEquals("16384", told.get("atomicWritten"), told.toString());
    assertWorked(told);
  }
}
