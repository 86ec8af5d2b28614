package io.ewok.gds.allocator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory this process may use: what percentages in settings refer to.
 *
 * <p>It is the smallest of the machine's memory and the limits of the control groups that the
 * process is in, from its own up to the outermost that is visible, of version 2 ({@code
 * memory.max}) and version 1 ({@code memory.limit_in_bytes}). Swap does not count. Limits can be
 * changed from outside at any time; each call reads them again, so a component asks once.
 *
 * <p>Threads: any.
 *
 * {@snippet :
 * long poolBytes = MemorySize.parse("25%").bytes(ProcessMemory.limitBytes());
 * }
 */
public final class ProcessMemory {
  private static final Pattern MEM_TOTAL = Pattern.compile("MemTotal:\\s+([0-9]{1,15}) kB");

  /** What the kernel writes for space, tab, line feed and backslash. */
  private static final Pattern OCTAL_ESCAPE = Pattern.compile("\\\\(040|011|012|134)");

  /**
   * Where groups of a hierarchy can be seen.
   *
   * @param root the group that is seen at the mount point
   */
  private record Mount(String root, String point) {
    boolean shows(String group) {
      Path path = Path.of(group);
      return path.isAbsolute() && path.equals(path.normalize()) && path.startsWith(root);
    }
  }

  private ProcessMemory() {}

  /**
   * The limit in bytes.
   *
   * @throws UncheckedIOException if the kernel's files cannot be read, or say something that is no
   *     number of bytes
   */
  public static long limitBytes() {
    return limitBytes(Path.of("/"));
  }

  /** As if {@code root} were the root of the file system. */
  static long limitBytes(Path root) {
    try {
      long limitBytes = physicalBytes(root.resolve("proc/meminfo"));
      for (String line : linesIfPresent(root.resolve("proc/self/cgroup"))) {
        // Number of the hierarchy, its controllers, path of the group in it.
        String[] fields = line.split(":", 3);
        if (fields.length < 3) {
          continue;
        }
        if (fields[0].equals("0") && fields[1].isEmpty()) {
          List<Mount> mounts = mounts(root, "cgroup2", "");
          limitBytes = Math.min(limitBytes, groupBytes(root, mounts, fields[2], "memory.max"));
        } else if (List.of(fields[1].split(",")).contains("memory")) {
          List<Mount> mounts = mounts(root, "cgroup", "memory");
          limitBytes =
              Math.min(limitBytes, groupBytes(root, mounts, fields[2], "memory.limit_in_bytes"));
        }
      }
      return limitBytes;
    } catch (IOException e) {
      throw new UncheckedIOException("how much memory the process may use is not known", e);
    }
  }

  private static long physicalBytes(Path file) throws IOException {
    for (String line : lines(file)) {
      Matcher total = MEM_TOTAL.matcher(line);
      if (total.matches()) {
        return Long.parseLong(total.group(1)) << 10;
      }
    }
    throw new IOException("no size of the memory in kB: file=" + file);
  }

  /** Smallest limit from a group up to the outermost that is visible. */
  private static long groupBytes(Path root, List<Mount> mounts, String group, String file)
      throws IOException {
    // A container may be told the names of its host, which nothing that it sees goes by: then its
    // group is the top of what it sees.
    boolean visible = mounts.stream().anyMatch(mount -> mount.shows(group));
    long limitBytes = Long.MAX_VALUE;
    for (Mount mount : mounts) {
      if (visible && !mount.shows(group)) {
        continue;
      }
      Path top = root.resolve(mount.point.substring(1));
      Path at = visible ? top.resolve(Path.of(mount.root).relativize(Path.of(group))) : top;
      for (; at != null && at.startsWith(top); at = at.getParent()) {
        limitBytes = Math.min(limitBytes, limitBytes(at, file));
      }
    }
    return limitBytes;
  }

  private static long limitBytes(Path directory, String file) throws IOException {
    Path path = directory.resolve(file);
    String text;
    try {
      text = Files.readString(path).strip();
    } catch (NoSuchFileException e) {
      // The outermost group of version 2, or a controller that is switched off.
      return Long.MAX_VALUE;
    }
    if (text.equals("max")) {
      return Long.MAX_VALUE;
    }
    try {
      return Long.parseUnsignedLong(text) < 0 ? Long.MAX_VALUE : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IOException("not a number of bytes: file=" + path + " text=" + text, e);
    }
  }

  /** Mounts of a type of file system which have an option, as proc(5) describes mountinfo. */
  private static List<Mount> mounts(Path root, String type, String option) throws IOException {
    List<Mount> mounts = new ArrayList<>();
    for (String line : linesIfPresent(root.resolve("proc/self/mountinfo"))) {
      int separator = line.indexOf(" - ");
      if (separator < 0) {
        continue;
      }
      String[] mount = line.substring(0, separator).split(" ", -1);
      String[] system = line.substring(separator + 3).split(" ", -1);
      if (mount.length >= 6
          && system.length >= 3
          && mount[4].startsWith("/")
          && system[0].equals(type)
          && (option.isEmpty() || List.of(system[2].split(",")).contains(option))) {
        mounts.add(new Mount(unescape(mount[3]), unescape(mount[4])));
      }
    }
    return mounts;
  }

  private static String unescape(String text) {
    return OCTAL_ESCAPE
        .matcher(text)
        .replaceAll(
            escape ->
                Matcher.quoteReplacement(Character.toString(Integer.parseInt(escape.group(1), 8))));
  }

  private static List<String> linesIfPresent(Path file) throws IOException {
    try {
      return lines(file);
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /** Names of mounts and groups can be any bytes, so nothing here is malformed. */
  private static List<String> lines(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList();
  }
}
