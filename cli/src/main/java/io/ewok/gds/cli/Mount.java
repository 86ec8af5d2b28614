package io.ewok.gds.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Where a directory's file system is mounted, as {@code /proc/self/mountinfo} tells.
 *
 * @param device number of the device, as in {@code 254:1}
 * @param point where it is mounted
 * @param type of the file system
 * @param options of the mount and of the file system
 */
record Mount(String device, String point, String type, Set<String> options) {
  /**
   * Finds the mount that a directory is in: the longest mount point above it, and of several the
   * last, which covers the others.
   */
  static Optional<Mount> of(Machine machine, Path directory) {
    Mount found = null;
    for (String line : machine.text("proc/self/mountinfo").lines().toList()) {
      String[] sides = line.split(" - ", 2);
      String[] mount = sides[0].split(" ", -1);
      String[] system = sides.length < 2 ? new String[0] : sides[1].split(" ", -1);
      if (mount.length < 6 || system.length < 3) {
        continue;
      }
      String point = unescaped(mount[4]);
      boolean longer = found == null || point.length() >= found.point.length();
      if (longer && directory.startsWith(point)) {
        Set<String> options = new LinkedHashSet<>(Arrays.asList(mount[5].split(",", -1)));
        options.addAll(Arrays.asList(system[2].split(",", -1)));
        found = new Mount(mount[2], point, system[0], options);
      }
    }
    return Optional.ofNullable(found);
  }

  /** The kernel writes blanks, tabs, line feeds and backslashes as octal digits. */
  private static String unescaped(String text) {
    return text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }
}
