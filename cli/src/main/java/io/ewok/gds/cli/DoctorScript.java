package io.ewok.gds.cli;

import java.util.List;

/**
 * What an administrator may run to change what the doctor found: a shell script, which nobody here
 * runs.
 */
final class DoctorScript {
  private DoctorScript() {}

  static String of(List<Finding> findings) {
    StringBuilder text = new StringBuilder("#!/bin/sh\n");
    text.append("# What gds doctor would change here. Read it first; run it as root.\n");
    text.append("# It holds until the machine is started again.\n");
    text.append("set -u\n");
    for (Finding finding : findings) {
      if (finding.isWorthAChange()) {
        text.append("\n# ").append(line(finding.name())).append(": found ");
        text.append(line(finding.found())).append(", wanted ").append(line(finding.wanted()));
        text.append("\n# ").append(line(finding.meaning())).append('\n');
        finding.commands().forEach(command -> text.append(command).append('\n'));
      }
    }
    return text.toString();
  }

  /** A word of the shell, whatever it consists of. */
  static String quoted(String text) {
    return text.matches("[A-Za-z0-9/._-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  /** Nothing that was found may end the comment that it is in. */
  private static String line(String text) {
    return text.replaceAll("\\R", " ");
  }
}
