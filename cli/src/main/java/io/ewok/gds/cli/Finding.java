package io.ewok.gds.cli;

import java.util.List;
import java.util.Objects;

/**
 * One thing the doctor looked at.
 *
 * @param name what was looked at
 * @param severity how bad it is
 * @param found what it is on this machine
 * @param wanted what is best for a store; empty where there is nothing to want
 * @param meaning why, or what follows from it for a store
 * @param decision what GDS does because of it; empty if nothing
 * @param commands what changes it, for the administrator's shell; none if nothing does
 */
record Finding(
    String name,
    Severity severity,
    String found,
    String wanted,
    String meaning,
    String decision,
    List<String> commands) {

  /** How bad a finding is. */
  enum Severity {
    /** As it is best. */
    OK,
    /** Something to know; it may be better otherwise. */
    INFO,
    /** It costs speed, or may cost the process, and is worth a change. */
    WARN,
    /** No store can be there, or what was acknowledged may be lost. */
    FATAL
  }

  Finding {
    Objects.requireNonNull(severity, "severity");
    commands = List.copyOf(commands);
  }

  static Finding ok(String name, String found, String meaning) {
    return new Finding(name, Severity.OK, found, "", meaning, "", List.of());
  }

  static Finding of(Severity severity, String name, String found, String meaning) {
    return new Finding(name, severity, found, "", meaning, "", List.of());
  }

  Finding withWanted(String wanted) {
    return new Finding(name, severity, found, wanted, meaning, decision, commands);
  }

  Finding withDecision(String decision) {
    return new Finding(name, severity, found, wanted, meaning, decision, commands);
  }

  Finding withCommands(String... commands) {
    return new Finding(name, severity, found, wanted, meaning, decision, List.of(commands));
  }

  /** Whether there is something better. */
  boolean isWorthAChange() {
    return severity != Severity.OK && !commands.isEmpty();
  }
}
