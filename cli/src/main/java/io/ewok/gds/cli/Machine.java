package io.ewok.gds.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

  /** A group is bound by its own limit and by those of all groups around it. */
  private long tightest(String base, String group, String file) {
    long limit = UNLIMITED_BYTES;
    String path = base + group;
    while (path.length() >= base.length()) {
      String text = text(path + "/" + file);
      if (!text.isEmpty() && text.length() < 19 && text.chars().allMatch(Character::isDigit)) {
        limit = Math.min(limit, Long.parseLong(text));
      }
      path = path.substring(0, path.lastIndexOf('/'));
    }
    return limit;
  }

  /** How many numbers are in a kernel list such as {@code 0-3,8}. */
  private static int listLength(String list) {
    int length = 0;
    for (String part : list.split(",", -1)) {
      Matcher range = Pattern.compile("(\\d+)(?:-(\\d+))?").matcher(part.strip());
      if (range.matches()) {
        int first = Integer.parseInt(range.group(1));
        length += range.group(2) == null ? 1 : Integer.parseInt(range.group(2)) - first + 1;
      }
    }
    return length;
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
