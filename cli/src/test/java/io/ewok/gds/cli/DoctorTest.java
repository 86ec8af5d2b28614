package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.cli.Finding.Severity;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
            List.of(
                "kernel",
                "io_uring",
                "engine",
                "locked memory",
                "CPU governor",
                "explicit huge pages",
                "direct I/O",
                "free space")),
        names.toString());
    assertTrue(findings.stream().allMatch(f -> f.keySet().equals(findings.get(0).keySet())));
    assertEquals(
        Set.of("name", "severity", "found", "wanted", "meaning", "decision", "commands"),
        findings.getFirst().keySet());
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
  void deviceIsMeasuredOnDemandInBoundedTime() throws IOException {
    assumeTrue(Files.getFileStore(temp).getUsableSpace() > 2L << 30);
    long start = System.nanoTime();
    List<Map<String, Object>> findings = gds("doctor", temp, "--probe", "--json").json();
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
    assertTrue(seconds < 60, "seconds=" + seconds);
    Map<Object, String> found =
        findings.stream()
            .collect(Collectors.toMap(f -> f.get("name"), f -> (String) f.get("found")));
    assertTrue(
        found.get("sync").matches("[0-9.]+ µs, 1 of 100 over [0-9.]+ µs"), found.get("sync"));
    assertTrue(found.get("random reads").matches("[1-9][0-9,]* a second"), found.toString());
    assertTrue(
        found.get("random reads, 32 at a time").matches("[1-9][0-9,]* a second"), found.toString());
    try (var files = Files.list(temp)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void whatCannotBeMeasuredIsAFinding() throws IOException {
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      Finding finding = new DeviceProbe(engine, temp.resolve("none")).measure().getFirst();
      assertEquals(Severity.WARN, finding.severity());
      assertTrue(finding.meaning().contains(temp.resolve("none").toString()), finding.meaning());
    }
    assertEquals(Severity.WARN, DeviceProbe.noRoom(1 << 20).severity());
  }

  @Test
  void whatIsWorthAChangeBecomesAScriptThatNobodyRuns() throws Exception {
    bad();
    List<Finding> findings = new ArrayList<>(new SystemCheck(new Machine(temp), 0).examine());
    findings.add(
        Finding.of(Severity.WARN, "odd", "a\nrm -rf /", "b\nc").withCommands("echo changed"));
    findings.add(Finding.ok("good", "g", "fine").withCommands("echo never"));
    String script = DoctorScript.of(findings);
    List<String> commands =
        script.lines().filter(line -> !line.startsWith("#") && !line.isEmpty()).toList();
    assertEquals("set -u", commands.getFirst());
    assertTrue(
        commands.containsAll(
            List.of(
                "sysctl -w vm.swappiness=1",
                "sysctl -w kernel.numa_balancing=0",
                "sysctl -w vm.zone_reclaim_mode=0",
                "echo changed")),
        script);
    assertFalse(commands.contains("rm -rf /"), script);
    assertFalse(commands.contains("echo never"), script);
    Process shell = new ProcessBuilder("sh", "-n").redirectErrorStream(true).start();
    try (var in = shell.getOutputStream()) {
      in.write(script.getBytes(StandardCharsets.UTF_8));
    }
    assertEquals("", new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    assertEquals(0, shell.waitFor());
  }

  @Test
  void scriptIsPrintedInPlaceOfFindings() {
    assertTrue(gds("doctor", temp, "--script").ok().startsWith("#!/bin/sh\n"));
    gds("doctor", temp, "--script", "--json").failure(ExitStatus.USAGE);
  }

  /** A machine on which nothing is as wanted. */
  private void bad() throws IOException {
    fact("proc/sys/kernel/osrelease", "5.15.0");
    fact("proc/sys/kernel/numa_balancing", "1");
    fact("proc/sys/vm/zone_reclaim_mode", "1");
    fact("proc/sys/vm/swappiness", "60");
    fact("proc/sys/vm/dirty_ratio", "20");
    fact("proc/sys/vm/dirty_background_ratio", "10");
    fact("proc/meminfo", "MemTotal:       2048 kB\nSwapTotal:      1024 kB");
    fact("proc/self/limits", "Max open files            1024                 4096       files");
    fact("proc/self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1");
    fact("proc/self/cgroup", "0::/a");
    fact("sys/fs/cgroup/a/memory.max", "1048576");
    fact("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never");
    fact("sys/devices/system/node/online", "0-1");
    fact("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
  }

  /** The same, put right. */
  private void good() throws IOException {
    fact("proc/sys/kernel/osrelease", "6.1.0-9-amd64");
    fact("proc/sys/kernel/numa_balancing", "0");
    fact("proc/sys/vm/zone_reclaim_mode", "0");
    fact("proc/sys/vm/swappiness", "1");
    fact("proc/sys/vm/dirty_ratio", "15");
    fact("proc/sys/vm/dirty_background_ratio", "5");
    fact("proc/meminfo", "MemTotal:       99999999999 kB\nSwapTotal:      1024 kB");
    fact("proc/self/limits", "Max open files            100000               100000     files");
    fact("proc/self/status", "Name:\tx\nSeccomp:\t0");
    fact("proc/self/cgroup", "0::/a");
    fact("sys/fs/cgroup/a/memory.max", "max");
    fact("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
    fact("sys/devices/system/node/online", "0");
    fact("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
  }

  private static Map<String, Severity> severities(List<Finding> findings) {
    return findings.stream().collect(Collectors.toMap(Finding::name, Finding::severity));
  }

  @Test
  void machineIsComparedWithWhatIsWanted() throws IOException {
    bad();
    List<Finding> findings = new SystemCheck(new Machine(temp), 1 << 20).examine();
    Map<String, Severity> expected = new HashMap<>();
    for (String name :
        List.of(
            "kernel",
            "clock",
            "NUMA balancing",
            "zone reclaim",
            "memory",
            "memory limit",
            "swappiness",
            "open files")) {
      expected.put(name, Severity.WARN);
    }
    for (String name : List.of("NUMA nodes", "transparent huge pages", "dirty ratios", "seccomp")) {
      expected.put(name, Severity.INFO);
    }
    expected.put("CPUs", Severity.OK);
    assertEquals(expected, severities(findings));
    good();
    findings = new SystemCheck(new Machine(temp), 1 << 20).examine();
    expected.replaceAll((_, _) -> Severity.OK);
    assertEquals(expected, severities(findings));
  }

  @Test
  void onlyTheRatioThatIsTooLargeIsToBeChanged() throws IOException {
    fact("proc/sys/vm/dirty_ratio", "15");
    fact("proc/sys/vm/dirty_background_ratio", "10");
    assertEquals(List.of("sysctl -w vm.dirty_background_ratio=5"), dirtyRatios().commands());
    fact("proc/sys/vm/dirty_ratio", "16");
    fact("proc/sys/vm/dirty_background_ratio", "5");
    assertEquals(List.of("sysctl -w vm.dirty_ratio=15"), dirtyRatios().commands());
  }

  private Finding dirtyRatios() {
    return new SystemCheck(new Machine(temp), 1 << 20)
        .examine().stream()
            .filter(finding -> finding.name().equals("dirty ratios"))
            .findFirst()
            .orElseThrow();
  }

  @Test
  void nothingIsWrongWithWhatTheKernelHides() {
    for (Finding finding : new SystemCheck(new Machine(temp), 1 << 20).examine()) {
      assertTrue(finding.severity().compareTo(Severity.WARN) < 0, finding.toString());
    }
  }

  private List<Finding> processors(boolean arePinned) {
    return new ProcessorCheck(new Machine(temp), arePinned).examine();
  }

  @Test
  void processorsAreComparedWithWhatIsWanted() throws IOException {
    fact("proc/self/cgroup", "0::/a/b");
    fact("sys/fs/cgroup/a/b/cpu.max", "max 100000");
    fact("sys/fs/cgroup/a/cpu.max", "150000 100000");
    fact("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
    fact("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq");
    fact("sys/devices/system/cpu/cpu10/cpufreq/scaling_governor", "performance");
    fact("sys/devices/system/cpu/cpuidle/current_governor", "menu");
    fact("proc/17/comm", "irqbalance");
    assertEquals(
        Map.of(
            "CPU limit", Severity.INFO, "CPU governor", Severity.WARN, "irqbalance", Severity.INFO),
        severities(processors(true)));
    assertEquals("1.50 CPUs", processors(true).getFirst().found());
    assertEquals("performance, powersave", processors(true).get(1).found());
    assertEquals(Severity.OK, processors(false).getLast().severity());
    assertEquals("running", processors(false).getLast().found());

    fact("sys/fs/cgroup/a/cpu.max", "max 100000");
    fact("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance");
    fact("proc/17/comm", "irqbalanced");
    for (Finding finding : processors(true)) {
      assertEquals(Severity.OK, finding.severity(), finding.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "performance, acpi-cpufreq, OK",
    "schedutil, acpi-cpufreq, INFO",
    "powersave, intel_pstate, INFO",
    "powersave, intel_cpufreq, WARN",
    "conservative, acpi-cpufreq, WARN"
  })
  void governorsThatFollowTheLoadAreLessBad(String governor, String driver, Severity expected)
      throws IOException {
    fact("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor);
    fact("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", driver);
    assertEquals(expected, processors(false).get(1).severity());
  }

  @Test
  void cpuLimitOfVersionOneGroupsIsSeen() throws IOException {
    fact("proc/self/cgroup", "5:cpu,cpuacct:/x");
    fact("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1");
    fact("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000");
    assertEquals(OptionalDouble.empty(), new Machine(temp).cpuLimit());
    fact("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "50000");
    assertEquals(OptionalDouble.of(0.5), new Machine(temp).cpuLimit());
  }

  private Map<String, Finding> memory(String... settings) {
    Map<String, String> all = new HashMap<>();
    for (String setting : settings) {
      all.put(setting.split("=", 2)[0], setting.split("=", 2)[1]);
    }
    return new MemoryCheck(new Machine(temp), StoreOptions.from(all))
        .examine().stream().collect(Collectors.toMap(Finding::name, finding -> finding));
  }

  @Test
  void explicitHugePagesAreComparedWithWhatTheStoreAsksFor() throws IOException {
    String name = "explicit huge pages";
    assertEquals(Severity.OK, memory().get(name).severity());
    String pool = "sys/kernel/mm/hugepages/hugepages-2048kB/";
    fact(pool + "nr_hugepages", "100");
    fact(pool + "free_hugepages", "30");
    assertEquals(Severity.INFO, memory().get(name).severity());
    Finding few = memory("store.huge-pages=hugetlb").get(name);
    assertEquals(Severity.WARN, few.severity());
    long needed = (StoreOptions.defaults().memoryBytes() + (2 << 20) - 1) / (2 << 20);
    assertEquals(List.of("echo " + (70 + needed) + " > /" + pool + "nr_hugepages"), few.commands());
    fact(pool + "free_hugepages", Long.toString(needed));
    assertEquals(Severity.OK, memory("store.huge-pages=hugetlb").get(name).severity());
  }

  @Test
  void policiesForNodesThatAreNotThereAreFatal() {
    String name = "NUMA policies";
    assertEquals("none", memory().get(name).found());
    Finding bad = memory("store.numa.memtable=bind:7").get(name);
    assertEquals(Severity.FATAL, bad.severity());
    assertTrue(bad.meaning().endsWith(": store.numa.memtable=bind:7"), bad.meaning());
    Finding good = memory("store.numa.pool=bind:0;local").get(name);
    assertEquals("store.numa.pool=bind:0, store.numa.pool=local", good.found());
  }

  /** What could be better says what is wanted, and what is decided because of it. */
  @Test
  void nothingIsFoundFaultWithInHalf() throws IOException {
    bad();
    List<Finding> findings = new ArrayList<>(new SystemCheck(new Machine(temp), 1 << 20).examine());
    fact("sys/fs/cgroup/a/cpu.max", "150000 100000");
    fact("sys/fs/cgroup/a/io.max", "259:0 rbps=max wbps=1000 riops=max wiops=max");
    fact("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
    fact("proc/17/comm", "irqbalance");
    findings.addAll(processors(true));
    device(
        "dev=259:0",
        "queue/scheduler=[bfq]",
        "queue/nomerges=0",
        "queue/nr_requests=32",
        "queue/read_ahead_kb=128",
        "queue/write_cache=write back");
    interrupts("3", "3", "3");
    findings.addAll(deviceFindings().values());
    device("queue/rotational=1");
    findings.addAll(deviceFindings().values());
    findings.addAll(memory("store.huge-pages=hugetlb").values());
    findings.addAll(memory("store.numa.pool=bind:7").values());
    for (String options : List.of("rw,barrier=0", "rw,sync", "ro", "rw")) {
      Set<String> all = Set.of(options.split(","));
      findings.add(DirectoryCheck.options(new Mount("1:1", "/data", "ext4", all)));
    }
    findings.add(DirectoryCheck.freeSpace(0, 1));
    for (String type : List.of("xfs", "tmpfs", "overlay", "nfs", "zfs", "other")) {
      findings.add(DirectoryCheck.fileSystem(type));
    }
    for (Finding finding : findings) {
      if (finding.severity() != Severity.OK) {
        assertFalse(finding.wanted().isEmpty(), finding.toString());
        assertFalse(finding.decision().isEmpty(), finding.toString());
        assertFalse(finding.meaning().isEmpty(), finding.toString());
      }
    }
  }

  private void device(String... facts) throws IOException {
    String device = "sys/devices/pci0/block/nvme0n1/";
    for (String each : facts) {
      String[] parts = each.split("=", 2);
      fact(device + parts[0], parts[1]);
    }
    fact(device + "nvme0n1p2/partition", "2");
    Path link = temp.resolve("sys/dev/block/259:2");
    Files.createDirectories(link.getParent());
    if (!Files.exists(link)) {
      Files.createSymbolicLink(link, temp.resolve(device + "nvme0n1p2"));
    }
  }

  /** Where the interrupts 40, 41, … of the device go. */
  private void interrupts(String... cpus) throws IOException {
    for (int i = 0; i < cpus.length; i++) {
      fact("sys/devices/pci0/msi_irqs/" + (40 + i), "msix");
      fact("proc/irq/" + (40 + i) + "/effective_affinity_list", cpus[i]);
    }
  }

  @Test
  void interruptsOfSeveralQueuesAreSpread() throws IOException {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1);
    device("queue/rotational=0");
    assertEquals("unknown", deviceFindings().get("interrupts").found());
    interrupts("0", "0");
    assertEquals(Severity.OK, deviceFindings().get("interrupts").severity());
    interrupts("0", "0", "0");
    Finding together = deviceFindings().get("interrupts");
    assertEquals(Severity.WARN, together.severity());
    assertEquals("3, to CPUs [0]", together.found());
    interrupts("0", "0-1", "3");
    Finding spread = deviceFindings().get("interrupts");
    assertEquals(Severity.OK, spread.severity());
    assertEquals("3, to CPUs [0, 1, 3]", spread.found());
  }

  @Test
  void limitsOfADeviceAreThoseOfItsGroups() throws IOException {
    device("queue/rotational=0", "dev=259:0");
    fact("proc/self/cgroup", "0::/a/b");
    fact("sys/fs/cgroup/a/b/io.max", "254:0 rbps=1 wbps=max riops=max wiops=max");
    assertEquals("none", deviceFindings().get("I/O limit").found());
    fact("sys/fs/cgroup/a/io.max", "254:0 rbps=1\n259:0 rbps=max wbps=1000 riops=max wiops=20");
    assertEquals("wbps=1000 wiops=20", deviceFindings().get("I/O limit").found());
  }

  private Map<String, Finding> deviceFindings() {
    BlockDevice device = BlockDevice.of(new Machine(temp), "259:2").orElseThrow();
    assertEquals("nvme0n1", device.name());
    return new DeviceCheck(device, 64, 2)
        .examine().stream().collect(Collectors.toMap(Finding::name, finding -> finding));
  }

  @Test
  void deviceOfAPartitionIsComparedWithWhatIsWanted() throws IOException {
    device(
        "queue/rotational=1",
        "queue/nomerges=0",
        "queue/scheduler=mq-deadline kyber [bfq] none",
        "queue/nr_requests=32",
        "queue/read_ahead_kb=128",
        "queue/write_cache=write back",
        "queue/logical_block_size=512",
        "queue/physical_block_size=4096",
        "device/numa_node=1");
    Map<String, Finding> found = deviceFindings();
    assertEquals(
        Map.of(
            "device", Severity.INFO,
            "I/O scheduler", Severity.WARN,
            "device queue", Severity.WARN,
            "read-ahead", Severity.INFO,
            "write cache", Severity.INFO,
            "device blocks", Severity.OK,
            "request merging", Severity.OK,
            "interrupts", Severity.OK,
            "I/O limit", Severity.OK,
            "device node", Severity.INFO),
        severities(List.copyOf(found.values())));
    assertEquals("bfq", found.get("I/O scheduler").found());
    assertEquals(
        List.of("echo mq-deadline > /sys/block/nvme0n1/queue/scheduler"),
        found.get("I/O scheduler").commands());
    assertEquals(
        List.of("echo 64 > /sys/block/nvme0n1/queue/nr_requests"),
        found.get("device queue").commands());
    device(
        "queue/rotational=0",
        "queue/nomerges=0",
        "queue/scheduler=[none] mq-deadline",
        "queue/nr_requests=64",
        "queue/read_ahead_kb=8",
        "queue/write_cache=write through",
        "device/numa_node=-1");
    assertEquals(
        List.of("echo 2 > /sys/block/nvme0n1/queue/nomerges"),
        deviceFindings().get("request merging").commands());
    device("queue/nomerges=2");
    found = deviceFindings();
    assertFalse(found.containsKey("device node"));
    for (Finding finding : found.values()) {
      assertEquals(Severity.OK, finding.severity(), finding.toString());
    }
  }

  @Test
  void mountIsTheInnermostAndNewestAroundADirectory() throws IOException {
    fact(
        "proc/self/mountinfo",
        """
        22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,barrier=1
        23 22 259:2 / /data rw,noatime shared:1 - xfs /dev/nvme0n1p2 rw,attr2
        24 22 0:30 / /data rw,relatime - tmpfs none rw
        25 22 259:3 / /with\\040blank rw,noatime - xfs /dev/nvme0n1p3 rw
        broken line""");
    Machine machine = new Machine(temp);
    assertEquals("tmpfs", Mount.of(machine, Path.of("/data/store")).orElseThrow().type());
    assertEquals("254:0", Mount.of(machine, Path.of("/database")).orElseThrow().device());
    Mount blank = Mount.of(machine, Path.of("/with blank")).orElseThrow();
    assertEquals(new Mount("259:3", "/with blank", "xfs", Set.of("rw", "noatime")), blank);
    assertEquals(Optional.empty(), BlockDevice.of(machine, "0:30"));
  }

  @ParameterizedTest
  @CsvSource({
    "rw noatime, OK",
    "rw relatime, OK",
    "rw strictatime, INFO",
    "rw noatime nobarrier, FATAL",
    "rw barrier=0, FATAL",
    "rw noatime sync, WARN",
    "ro noatime, WARN"
  })
  void mountOptionsThatLoseWritesAreFatal(String options, Severity expected) {
    Mount mount = new Mount("1:1", "/data", "ext4", Set.of(options.split(" ")));
    assertEquals(expected, DirectoryCheck.options(mount).severity());
  }

  @Test
  void namesOfMountPointsAreNoCommandsInAScript() throws Exception {
    String point = "/a b'$(touch hurt);touch hurt";
    Finding finding = DirectoryCheck.options(new Mount("1:1", point, "ext4", Set.of("rw")));
    String script = DoctorScript.of(List.of(finding)).replace("mount -o", "echo");
    Path file = Files.writeString(temp.resolve("script"), script);
    Process shell =
        new ProcessBuilder("sh", file.toString())
            .directory(temp.toFile())
            .redirectErrorStream(true)
            .start();
    String out = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("remount,noatime " + point + "\n", out);
    assertEquals(0, shell.waitFor());
    assertFalse(Files.exists(temp.resolve("hurt")));
  }

  @ParameterizedTest
  @CsvSource({"100, 1000, OK", "40, 1000, WARN", "0, 1, WARN", "2, 3, OK"})
  void scarceSpaceIsTold(long freeGib, long totalGib, Severity expected) {
    assertEquals(expected, DirectoryCheck.freeSpace(freeGib << 30, totalGib << 30).severity());
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
