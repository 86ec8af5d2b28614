package io.ewok.gds.cli;

import io.ewok.gds.cli.Finding.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;

/** Looks at what decides how long a thread that is wanted waits for a processor. */
final class ProcessorCheck {
  /** Drivers whose {@code powersave} follows the load, too. */
  private static final Set<String> DRIVERS_THAT_FOLLOW = Set.of("intel_pstate", "amd-pstate-epp");

  private static final Set<String> GOVERNORS_THAT_FOLLOW = Set.of("schedutil", "ondemand");

  private final Machine machine;
  private final boolean arePinned;

  /**
   * @param arePinned whether reactors run on CPUs or nodes that settings name
   */
  ProcessorCheck(Machine machine, boolean arePinned) {
    this.machine = machine;
    this.arePinned = arePinned;
  }

  List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(limit());
    findings.add(governor());
    findings.add(balancer());
    return findings;
  }

  private Finding limit() {
    String name = "CPU limit";
    OptionalDouble limit = machine.cpuLimit();
    if (limit.isEmpty()) {
      return Finding.ok(name, "none", "no control group stops this process").withWanted("none");
    }
    return Finding.of(
            Severity.INFO,
            name,
            String.format(Locale.ROOT, "%.2f CPUs", limit.getAsDouble()),
            "a process that has used its share stands still until the next period, whoever waits"
                + " for it: the slowest reads and writes take that long")
        .withWanted("none, or CPUs of its own (cpuset)")
        .withDecision("nothing: a store has one thread for flushes and compactions in any case");
  }

  private Finding governor() {
    String name = "CPU governor";
    Set<String> governors = machine.governors();
    String found = String.join(", ", governors);
    String decision = "nothing: threads that wait sleep, and wake up at whatever frequency it is";
    if (governors.isEmpty()) {
      return Finding.ok(
          name, "none", "the kernel sets no frequencies; a host of this machine may do so");
    }
    if (governors.equals(Set.of("performance"))) {
      return Finding.ok(name, found, "CPUs that are idle at times are as fast as others")
          .withWanted("performance");
    }
    String driver = machine.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver");
    boolean follows =
        GOVERNORS_THAT_FOLLOW.containsAll(governors)
            || (governors.equals(Set.of("powersave")) && DRIVERS_THAT_FOLLOW.contains(driver));
    return (follows
            ? Finding.of(
                Severity.INFO,
                name,
                found,
                "frequencies follow the load: a CPU that waits for the device most of the time is"
                    + " slow when its answer comes")
            : Finding.of(
                Severity.WARN, name, found, "CPUs are slow, or are so for long after they idled"))
        .withWanted("performance")
        .withDecision(decision)
        .withCommands(
            "for f in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo performance"
                + " > \"$f\"; done");
  }

  private Finding balancer() {
    String name = "irqbalance";
    boolean runs = machine.runs(name);
    String found = runs ? "running" : "not running, or hidden";
    if (runs && arePinned) {
      return Finding.of(
              Severity.INFO,
              name,
              found,
              "it may move interrupts onto the CPUs of reactors, which cannot go elsewhere")
          .withWanted("IRQBALANCE_BANNED_CPULIST with the CPUs of the reactors")
          .withDecision("reactors stay where reactor.nodes and reactor.cpus say")
          .withCommands(
              "# in /etc/default/irqbalance or /etc/sysconfig/irqbalance:"
                  + " IRQBALANCE_BANNED_CPULIST=…, then systemctl restart irqbalance");
    }
    return Finding.ok(
        name,
        found,
        runs ? "interrupts are spread over the CPUs" : "interrupts stay where they are");
  }
}
