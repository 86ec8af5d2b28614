package io.ewok.gds.cli;

import io.ewok.gds.cli.Finding.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Looks at settings of the operating system that a store's speed, or its life, depends on. */
final class SystemCheck {
  private static final Pattern VERSION = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");
  private static final long FILES_WANTED = 100_000;
  private static final long FILES_MIN = 10_000;
  private static final int SWAPPINESS_WANTED = 1;
  private static final int SWAPPINESS_MAX = 10;
  private static final int DIRTY_RATIO = 15;
  private static final int DIRTY_BACKGROUND_RATIO = 5;

  private final Machine machine;
  private final long storeBytes;

  /**
   * @param storeBytes what a store would use outside of the Java heap
   */
  SystemCheck(Machine machine, long storeBytes) {
    this.machine = machine;
    this.storeBytes = storeBytes;
  }

  List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(kernel());
    findings.add(cpus());
    findings.add(clock());
    findings.add(nodes());
    findings.add(numaBalancing());
    findings.add(zoneReclaim());
    findings.add(memory());
    findings.add(memoryLimit());
    findings.add(swappiness());
    findings.add(hugePages());
    findings.add(dirtyRatios());
    findings.add(openFiles());
    findings.add(seccomp());
    return findings;
  }

  private Finding kernel() {
    String found = machine.kernel();
    String meaning = System.getProperty("os.arch") + "; built and tested for amd64";
    Matcher version = VERSION.matcher(found);
    boolean old =
        version.matches()
            && (Integer.parseInt(version.group(1)) < 6
                || (Integer.parseInt(version.group(1)) == 6
                    && Integer.parseInt(version.group(2)) < 1));
    return (old
            ? Finding.of(
                Severity.WARN,
                "kernel",
                found,
                meaning + "; io_uring has learned since what makes it cheap")
            : Finding.ok("kernel", found, meaning))
        .withWanted("6.1 or newer")
        .withDecision("rings have the best flags that the kernel takes, found by trying");
  }

  private Finding cpus() {
    int usable = Runtime.getRuntime().availableProcessors();
    int online = machine.cpus();
    return Finding.ok(
        "CPUs",
        Integer.toString(usable),
        usable < online
            ? "this process may use a part of the machine's " + online
            : "all may be used");
  }

  private Finding clock() {
    String found = machine.text("sys/devices/system/clocksource/clocksource0/current_clocksource");
    boolean slow = found.equals("hpet") || found.equals("acpi_pm") || found.equals("jiffies");
    return slow
        ? Finding.of(Severity.WARN, "clock", found, "each look at the time is a call of the kernel")
            .withWanted("tsc")
            .withDecision("nothing: limits and counters look at the time all the same")
            .withCommands(
                "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource")
        : Finding.ok("clock", found.isEmpty() ? "unknown" : found, "read without the kernel");
  }

  private Finding nodes() {
    int nodes = machine.nodes();
    return nodes == 1
        ? Finding.ok("NUMA nodes", "1", "all memory is equally near")
        : Finding.of(
                Severity.INFO,
                "NUMA nodes",
                Integer.toString(nodes),
                "memory may be far from the CPU that uses it")
            .withWanted("one, or settings that say which node is used for what")
            .withDecision(
                "memory and reactors go where the kernel likes, unless store.numa.… and"
                    + " reactor.nodes say otherwise; transfers from other nodes are counted");
  }

  private Finding numaBalancing() {
    String name = "NUMA balancing";
    String found = machine.text("proc/sys/kernel/numa_balancing");
    if (machine.nodes() == 1 || found.isEmpty() || found.equals("0")) {
      return Finding.ok(name, found.isEmpty() ? "none" : found, "nothing moves pages about");
    }
    return Finding.of(
            Severity.WARN,
            name,
            found,
            "the kernel takes pages away to see who uses them, and moves them: page faults on the"
                + " way of every get")
        .withWanted("0")
        .withDecision("nothing; memory with a policy of its own, see store.numa.…, stays")
        .withCommands("sysctl -w kernel.numa_balancing=0");
  }

  private Finding zoneReclaim() {
    String name = "zone reclaim";
    String found = machine.text("proc/sys/vm/zone_reclaim_mode");
    if (found.isEmpty() || found.equals("0")) {
      return Finding.ok(name, found.isEmpty() ? "none" : found, "a full node uses another one");
    }
    return Finding.of(
            Severity.WARN,
            name,
            found,
            "a full node gives up its caches before it uses another one")
        .withWanted("0")
        .withDecision("nothing; files of stores go past these caches")
        .withCommands("sysctl -w vm.zone_reclaim_mode=0");
  }

  private Finding memory() {
    OptionalLong bytes = machine.memoryBytes();
    long heap = Runtime.getRuntime().maxMemory();
    String meaning =
        "of which the Java heap may take %s and a store %s"
            .formatted(Units.bytes(heap), Units.bytes(storeBytes));
    if (bytes.isEmpty()) {
      return Finding.of(Severity.INFO, "memory", "unknown", meaning);
    }
    return room("memory", bytes.getAsLong(), heap, meaning, "the machine swaps, or ends processes");
  }

  private Finding memoryLimit() {
    String name = "memory limit";
    OptionalLong limit = machine.memoryLimitBytes();
    if (limit.isEmpty()) {
      return Finding.ok(name, "none", "no control group limits this process");
    }
    return room(
            name,
            limit.getAsLong(),
            Runtime.getRuntime().maxMemory(),
            "of the control group, for heap and store together; beyond it the process is killed",
            "the process is killed")
        .withDecision("percentages in settings are of this");
  }

  private Finding room(String name, long bytes, long heap, String meaning, String otherwise) {
    String wanted = "more than " + Units.bytes(heap + storeBytes);
    return bytes > heap + storeBytes
        ? Finding.ok(name, Units.bytes(bytes), meaning).withWanted(wanted)
        : Finding.of(
                Severity.WARN,
                name,
                Units.bytes(bytes),
                meaning + "; if both take all they may, " + otherwise)
            .withWanted(wanted + ", or less in -Xmx and store.memory")
            .withDecision("nothing: a store takes no more than it says, and no less");
  }

  private Finding swappiness() {
    String name = "swappiness";
    String found = machine.text("proc/sys/vm/swappiness");
    if (machine.swapBytes() == 0) {
      return Finding.ok(name, found.isEmpty() ? "none" : found, "there is no swap");
    }
    if (found.matches("\\d{1,4}") && Integer.parseInt(found) <= SWAPPINESS_MAX) {
      return Finding.ok(name, found, "memory is swapped out last")
          .withWanted("0 to " + SWAPPINESS_MAX);
    }
    return Finding.of(
            Severity.WARN,
            name,
            found.isEmpty() ? "unknown" : found,
            "blocks in the pool may be swapped out: reading them from swap costs more than from"
                + " their tables")
        .withWanted(Integer.toString(SWAPPINESS_WANTED))
        .withDecision("a store locks nothing in memory")
        .withCommands("sysctl -w vm.swappiness=" + SWAPPINESS_WANTED);
  }

  private Finding hugePages() {
    String name = "transparent huge pages";
    String found = machine.hugePages();
    String decision =
        "large regions ask for them, unless store.huge-pages=off; what they got is in"
            + " Region.pages";
    return switch (found) {
      case "madvise" ->
          Finding.ok(name, found, "regions can have huge pages where they ask for them")
              .withDecision(decision);
      case "always" ->
          Finding.of(
                  Severity.INFO,
                  name,
                  found,
                  "everybody gets them, asked for or not: small programs may hold more memory")
              .withWanted("madvise")
              .withDecision(decision)
              .withCommands("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
      case "never" ->
          Finding.of(
                  Severity.INFO,
                  name,
                  found,
                  "switched off: large pools pay more for address translation")
              .withWanted("madvise")
              .withDecision("regions have ordinary pages")
              .withCommands("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
      default -> Finding.of(Severity.INFO, name, "none", "the kernel has none");
    };
  }

  private Finding dirtyRatios() {
    String name = "dirty ratios";
    String ratio = machine.text("proc/sys/vm/dirty_ratio");
    String background = machine.text("proc/sys/vm/dirty_background_ratio");
    String found = "%s %%, background %s %%".formatted(ratio, background);
    if (ratio.isEmpty() || background.isEmpty()) {
      return Finding.of(Severity.INFO, name, "unknown", "of files that go through the page cache");
    }
    String decision = "files of stores go past the page cache, where the file system lets them";
    if (atMost(ratio, DIRTY_RATIO) && atMost(background, DIRTY_BACKGROUND_RATIO)) {
      return Finding.ok(name, found, "what others write does not pile up").withDecision(decision);
    }
    return Finding.of(
            Severity.INFO,
            name,
            found,
            "what others write to files piles up and goes to the device at once, in front of syncs")
        .withWanted("%d %%, background %d %%".formatted(DIRTY_RATIO, DIRTY_BACKGROUND_RATIO))
        .withDecision(decision)
        .withCommands(
            Stream.of(
                    atMost(ratio, DIRTY_RATIO) ? "" : "sysctl -w vm.dirty_ratio=" + DIRTY_RATIO,
                    atMost(background, DIRTY_BACKGROUND_RATIO)
                        ? ""
                        : "sysctl -w vm.dirty_background_ratio=" + DIRTY_BACKGROUND_RATIO)
                .filter(command -> !command.isEmpty())
                .toArray(String[]::new));
  }

  private static boolean atMost(String number, int max) {
    return number.matches("\\d{1,4}") && Integer.parseInt(number) <= max;
  }

  private Finding openFiles() {
    String name = "open files";
    OptionalLong limit = machine.openFilesMax();
    if (limit.isEmpty() || limit.getAsLong() >= FILES_MIN) {
      return Finding.ok(
          name,
          limit.isEmpty() ? "unlimited" : Units.count(limit.getAsLong()),
          "a store has each of its tables open");
    }
    return Finding.of(
            Severity.WARN,
            name,
            Units.count(limit.getAsLong()),
            "a store has each of its tables open, and stops when no more can be opened")
        .withWanted(Units.count(FILES_WANTED))
        .withDecision("nothing: a table that cannot be opened fails what asks for it")
        .withCommands(
            "# where gds is started: ulimit -n %d, or LimitNOFILE=%d of the service"
                .formatted(FILES_WANTED, FILES_WANTED));
  }

  private Finding seccomp() {
    String found = machine.seccomp();
    return switch (found) {
      case "0", "" -> Finding.ok("seccomp", "off", "no system call is filtered");
      case "1" ->
          Finding.of(Severity.WARN, "seccomp", "strict", "hardly a system call is allowed")
              .withWanted("off, or a filter with io_uring")
              .withDecision("whether io_uring is allowed is found by trying, see io_uring");
      default ->
          Finding.of(
                  Severity.INFO,
                  "seccomp",
                  "filter",
                  "a container runtime says which system calls are allowed; many forbid io_uring")
              .withWanted("off, or a filter with io_uring")
              .withDecision("whether io_uring is allowed is found by trying, see io_uring");
    };
  }
}
