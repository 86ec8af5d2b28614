package io.ewok.gds.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableSet;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the kernel tells about itself and the machine in {@code /proc} and {@code /sys}. What it
 * does not tell is empty, never an error: containers hide parts of both.
 *
 * <p>Any thread; each question is read anew.
 */
final class Machine {
  private static final Pattern MEM_TOTAL = Pattern.compile("(?m)^MemTotal:\\s+(\\d+) kB");
  private static final Pattern CHOSEN = Pattern.compile("\\[(\\w+)]");
  private static final Pattern SWAP_TOTAL = Pattern.compile("(?m)^SwapTotal:\\s+(\\d+) kB");
  private static final Pattern OPEN_FILES =
      Pattern.compile("(?m)^Max open files\\s+(\\d{1,18})\\s");
  private static final Pattern SECCOMP = Pattern.compile("(?m)^Seccomp:\\s+(\\d+)");
  private static final Pattern RANGE = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?");
  private static final int KIB = 1024;

  /** Above this a version 1 control group means no limit. */
  private static final long UNLIMITED_BYTES = 1L << 60;

  private final Path root;

  /**
   * @param root what stands for {@code /}, so that tests can bring a machine of their own
   */
  Machine(Path root) {
    this.root = root;
  }

  Path root() {
    return root;
  }

  String kernel() {
    return text("proc/sys/kernel/osrelease");
  }

  /** The value of kernel.io_uring_disabled, empty where the kernel has none (before 6.6). */
  String uringDisabled() {
    return text("proc/sys/kernel/io_uring_disabled");
  }

  /** {@code always}, {@code madvise} or {@code never}; empty when the kernel has no huge pages. */
  String hugePages() {
    Matcher chosen = CHOSEN.matcher(text("sys/kernel/mm/transparent_hugepage/enabled"));
    return chosen.find() ? chosen.group(1) : "";
  }

  /** How many CPUs the kernel runs. */
  int cpus() {
    return listLength(text("sys/devices/system/cpu/online"));
  }

  /** How many memory nodes there are; 1 when the kernel does not tell. */
  int nodes() {
    return Math.max(1, listLength(text("sys/devices/system/node/online")));
  }

  OptionalLong memoryBytes() {
    Matcher total = MEM_TOTAL.matcher(text("proc/meminfo"));
    return total.find()
        ? OptionalLong.of(Long.parseLong(total.group(1)) * KIB)
        : OptionalLong.empty();
  }

  /** Bytes of swap; 0 when there is none or the kernel does not tell. */
  long swapBytes() {
    Matcher total = SWAP_TOTAL.matcher(text("proc/meminfo"));
    return total.find() ? Long.parseLong(total.group(1)) * KIB : 0;
  }

  /** How many files this process may have open; empty if there is no limit. */
  OptionalLong openFilesMax() {
    Matcher max = OPEN_FILES.matcher(text("proc/self/limits"));
    return max.find() ? OptionalLong.of(Long.parseLong(max.group(1))) : OptionalLong.empty();
  }

  /**
   * {@code 0} for none, {@code 1} strict, {@code 2} a filter; empty if the kernel does not tell.
   */
  String seccomp() {
    Matcher mode = SECCOMP.matcher(text("proc/self/status"));
    return mode.find() ? mode.group(1) : "";
  }

  /** The tightest memory limit of the control groups of this process, in bytes. */
  OptionalLong memoryLimitBytes() {
    long limit = UNLIMITED_BYTES;
    for (String line : text("proc/self/cgroup").lines().toList()) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3 && fields[1].isEmpty()) {
        limit = Math.min(limit, tightest("sys/fs/cgroup", fields[2], "memory.max"));
      } else if (fields.length == 3 && fields[1].equals("memory")) {
        limit =
            Math.min(limit, tightest("sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"));
      }
    }
    return limit == UNLIMITED_BYTES ? OptionalLong.empty() : OptionalLong.of(limit);
  }

  private long tightest(String base, String group, String file) {
    long limit = UNLIMITED_BYTES;
    for (String path : withThoseAround(base, group)) {
      limit = Math.min(limit, number(path + "/" + file).orElse(UNLIMITED_BYTES));
    }
    return limit;
  }

  /** A group is bound by its own limits and by those of all groups around it. */
  private static List<String> withThoseAround(String base, String group) {
    List<String> paths = new ArrayList<>();
    String path = base + group;
    while (path.length() >= base.length()) {
      paths.add(path);
      path = path.substring(0, path.lastIndexOf('/'));
    }
    return paths;
  }

  /** How many CPUs the control groups of this process let it use; empty if they do not say. */
  OptionalDouble cpuLimit() {
    double limit = Double.POSITIVE_INFINITY;
    for (String line : text("proc/self/cgroup").lines().toList()) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3 && fields[1].isEmpty()) {
        for (String path : withThoseAround("sys/fs/cgroup", fields[2])) {
          String[] max = text(path + "/cpu.max").split(" ", 2);
          limit = Math.min(limit, max.length < 2 ? limit : share(max[0], max[1]));
        }
      } else if (fields.length == 3 && List.of(fields[1].split(",", -1)).contains("cpu")) {
        for (String path : withThoseAround("sys/fs/cgroup/cpu", fields[2])) {
          String quota = text(path + "/cpu.cfs_quota_us");
          limit = Math.min(limit, share(quota, text(path + "/cpu.cfs_period_us")));
        }
      }
    }
    return limit == Double.POSITIVE_INFINITY ? OptionalDouble.empty() : OptionalDouble.of(limit);
  }

  /** {@code max} and {@code -1} are no limit. */
  private static double share(String quota, String period) {
    return quota.matches("\\d{1,15}") && period.matches("[1-9]\\d{0,14}")
        ? Double.parseDouble(quota) / Double.parseDouble(period)
        : Double.POSITIVE_INFINITY;
  }

  /**
   * What the control groups of this process let it do to a block device, such as {@code wiops=100};
   * empty if all of it.
   *
   * @param number of the whole device, as in {@code 254:0}
   */
  Set<String> ioLimits(String number) {
    Set<String> limits = new TreeSet<>();
    for (String line : text("proc/self/cgroup").lines().toList()) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3 && fields[1].isEmpty()) {
        for (String path : withThoseAround("sys/fs/cgroup", fields[2])) {
          text(path + "/io.max")
              .lines()
              .map(limit -> limit.split(" ", -1))
              .filter(words -> words[0].equals(number))
              .flatMap(words -> Arrays.stream(words).skip(1))
              .filter(word -> !word.endsWith("=max"))
              .forEach(limits::add);
        }
      }
    }
    return limits;
  }

  /** How the kernel chooses the frequency of CPUs; empty if it does not. */
  Set<String> governors() {
    Set<String> governors = new TreeSet<>();
    for (String cpu : list("sys/devices/system/cpu")) {
      if (cpu.matches("cpu\\d+")) {
        governors.add(text("sys/devices/system/cpu/" + cpu + "/cpufreq/scaling_governor"));
      }
    }
    governors.remove("");
    return governors;
  }

  /** Whether a process of a name runs, as far as it can be seen. */
  boolean runs(String name) {
    return list("proc").stream()
        .anyMatch(
            process -> process.matches("\\d+") && text("proc/" + process + "/comm").equals(name));
  }

  /** The CPUs to which an interrupt goes. */
  Set<Integer> cpusOfInterrupt(String interrupt) {
    String effective = text("proc/irq/" + interrupt + "/effective_affinity_list");
    return numbers(
        effective.isEmpty() ? text("proc/irq/" + interrupt + "/smp_affinity_list") : effective);
  }

  private static int listLength(String list) {
    return numbers(list).size();
  }

  /** The numbers in a kernel list such as {@code 0-3,8}. */
  private static NavigableSet<Integer> numbers(String list) {
    NavigableSet<Integer> numbers = new TreeSet<>();
    for (String part : list.split(",", -1)) {
      Matcher range = RANGE.matcher(part.strip());
      if (range.matches()) {
        int first = Integer.parseInt(range.group(1));
        int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
        IntStream.rangeClosed(first, last).forEach(numbers::add);
      }
    }
    return numbers;
  }

  /** The names in a directory, in order; none if it cannot be read. */
  List<String> list(String path) {
    try (Stream<Path> entries = Files.list(root.resolve(path))) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  /** The number that a file has; empty if it is none. */
  OptionalLong number(String path) {
    String text = text(path);
    return text.matches("\\d{1,18}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
  }

  /** The file's text without blanks around it, empty when it cannot be read. */
  String text(String path) {
    // Read as a stream: files of /proc and /sys report sizes that are not theirs.
    try (InputStream in = Files.newInputStream(root.resolve(path))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
