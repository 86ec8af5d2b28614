package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
  @TempDir private Path temp;

  private void fact(String path, String content) throws IOException {
    Path file = temp.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content + "\n");
  }

  @Test
  void chosenEngineIsTheOneAStoreGets() throws IOException {
    String chosen;
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      chosen = engine.choice().chosen();
    }
    String text = gds("doctor", temp).ok();
    assertTrue(text.lines().anyMatch(l -> l.matches("engine +" + chosen + " .*")), text);
  }

  @Test
  void everyFindingIsOneJsonObject() {
    List<Map<String, Object>> findings = gds("doctor", temp, "--json").json();
    List<Object> names = findings.stream().map(finding -> finding.get("name")).toList();
    assertTrue(
        names.containsAll(
            List.of("kernel", "io_uring", "engine", "locked memory", "direct I/O", "free space")),
        names.toString());
    assertTrue(findings.stream().allMatch(f -> f.keySet().equals(findings.get(0).keySet())));
  }

  @Test
  void nothingIsLeftBehind() throws IOException {
    gds("doctor", temp).ok();
    try (var files = Files.list(temp)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void directoryMustBeOne() {
    gds("doctor", temp.resolve("none")).failure(ExitStatus.FAILED);
  }

  @Test
  void forcedEngineIsReported() {
    String text = gds("doctor", temp, "--engine=pool").ok();
    assertTrue(text.lines().anyMatch(l -> l.matches("engine +POOL .*")), text);
  }

  @Test
  void factsAreReadFromTheKernel() throws IOException {
    fact("proc/sys/kernel/osrelease", "6.1.0-test");
    fact("proc/sys/kernel/io_uring_disabled", "2");
    fact("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
    fact("sys/devices/system/cpu/online", "0-3,8");
    fact("sys/devices/system/node/online", "0-1");
    fact("proc/meminfo", "MemTotal:       2048 kB\nMemFree: 1 kB");
    Machine machine = new Machine(temp);
    assertEquals("6.1.0-test", machine.kernel());
    assertEquals("2", machine.uringDisabled());
    assertEquals("madvise", machine.hugePages());
    assertEquals(5, machine.cpus());
    assertEquals(2, machine.nodes());
    assertEquals(OptionalLong.of(2 << 20), machine.memoryBytes());
  }

  @Test
  void whatTheKernelHidesIsEmpty() {
    Machine machine = new Machine(temp);
    assertEquals("", machine.kernel());
    assertEquals("", machine.hugePages());
    assertEquals(1, machine.nodes());
    assertEquals(OptionalLong.empty(), machine.memoryBytes());
    assertEquals(OptionalLong.empty(), machine.memoryLimitBytes());
  }

  @Test
  void memoryLimitIsTheTightestOfTheGroupsAround() throws IOException {
    fact("proc/self/cgroup", "0::/a/b");
    fact("sys/fs/cgroup/a/b/memory.max", "max");
    fact("sys/fs/cgroup/a/memory.max", "1073741824");
    assertEquals(OptionalLong.of(1 << 30), new Machine(temp).memoryLimitBytes());
  }

  @Test
  void memoryLimitOfVersionOneGroupsIsSeen() throws IOException {
    fact("proc/self/cgroup", "5:cpu:/x\n4:memory:/x");
    fact("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712");
    assertEquals(OptionalLong.empty(), new Machine(temp).memoryLimitBytes());
    fact("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "65536");
    assertEquals(OptionalLong.of(65536), new Machine(temp).memoryLimitBytes());
  }
}
