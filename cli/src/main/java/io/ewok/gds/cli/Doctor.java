package io.ewok.gds.cli;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.ResourceLimits;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.pagestore.EngineChoice;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Looks at what decides how a store runs here. Changes nothing but one probe file that it makes and
 * deletes.
 *
 * <p>Confined to one thread.
 */
final class Doctor {
  private final Machine machine;
  private final Path directory;
  private final EngineOptions engineOptions;

  /**
   * @param directory where a store would be
   */
  Doctor(Machine machine, Path directory, EngineOptions engineOptions) {
    this.machine = machine;
    this.directory = directory;
    this.engineOptions = engineOptions;
  }

  /** Looks at everything, in the order it is printed. */
  List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        new Finding("java", Runtime.version().toString(), System.getProperty("java.vm.name", "")));
    findings.add(kernel());
    findings.add(cpus());
    findings.add(nodes());
    findings.add(memory());
    findings.add(memoryLimit());
    findings.add(hugePages());
    findings.add(lockedMemory());
    findings.add(uringSwitch());
    findings.add(uring());
    try (IoEngine engine = IoEngines.open(engineOptions)) {
      findings.add(chosen(engine));
      findings.addAll(new DirectoryCheck(engine, directory).examine());
    } catch (IOException | RuntimeException | LinkageError e) {
      findings.add(new Finding("engine", "none", "no store can be opened: " + Failures.message(e)));
    }
    return findings;
  }

  private Finding kernel() {
    return new Finding(
        "kernel", machine.kernel(), System.getProperty("os.arch") + "; built and tested for amd64");
  }

  private Finding cpus() {
    int usable = Runtime.getRuntime().availableProcessors();
    int online = machine.cpus();
    return new Finding(
        "CPUs",
        Integer.toString(usable),
        usable < online
            ? "this process may use a part of the machine's " + online
            : "all may be used");
  }

  private Finding nodes() {
    int nodes = machine.nodes();
    return new Finding(
        "NUMA nodes",
        Integer.toString(nodes),
        nodes == 1 ? "all memory is equally near" : "memory may be far from the CPU that uses it");
  }

  private Finding memory() {
    OptionalLong bytes = machine.memoryBytes();
    return new Finding(
        "memory",
        bytes.isPresent() ? Units.bytes(bytes.getAsLong()) : "unknown",
        "of which the Java heap may take " + Units.bytes(Runtime.getRuntime().maxMemory()));
  }

  private Finding memoryLimit() {
    OptionalLong limit = machine.memoryLimitBytes();
    return limit.isPresent()
        ? new Finding(
            "memory limit",
            Units.bytes(limit.getAsLong()),
            "of the control group, for heap and store together; beyond it the process is killed")
        : new Finding("memory limit", "none", "no control group limits this process");
  }

  private Finding hugePages() {
    String found = machine.hugePages();
    String meaning =
        switch (found) {
          case "always", "madvise" -> "regions can have huge pages where they ask for them";
          case "never" -> "switched off: large pools pay more for address translation";
          default -> "the kernel has none";
        };
    return new Finding("transparent huge pages", found.isEmpty() ? "none" : found, meaning);
  }

  private static Finding lockedMemory() {
    try {
      ResourceLimits limits = ResourceLimits.memlock();
      return new Finding(
          "locked memory",
          "soft " + limit(limits.softBytes()) + ", hard " + limit(limits.hardBytes()),
          limits.softBytes() == ResourceLimits.UNLIMITED
              ? "any pool can be registered with io_uring"
              : "bounds what can be registered with io_uring, unless the process is privileged");
    } catch (ErrnoException e) {
      return new Finding("locked memory", "unknown", e.getMessage());
    }
  }

  private static String limit(long bytes) {
    return bytes == ResourceLimits.UNLIMITED ? "unlimited" : Units.bytes(bytes);
  }

  private Finding uringSwitch() {
    String found = machine.uringDisabled();
    String meaning =
        switch (found) {
          case "0" -> "allowed to every process";
          case "1" -> "allowed to privileged processes and the kernel.io_uring_group";
          case "2" -> "switched off for every process";
          default -> "this kernel has no such switch, or the container hides it";
        };
    return new Finding("kernel.io_uring_disabled", found.isEmpty() ? "absent" : found, meaning);
  }

  private static Finding uring() {
    try {
      UringProbe probe = UringProbe.probe();
      return new Finding("io_uring", probe.reason().name(), probe.message());
    } catch (RuntimeException | LinkageError e) {
      return new Finding("io_uring", "FAILED", Failures.message(e));
    }
  }

  private static Finding chosen(IoEngine engine) {
    StringBuilder meaning = new StringBuilder(engine.description());
    for (EngineChoice.Rejection rejection : engine.choice().rejections()) {
      if (meaning.indexOf(rejection.reason()) < 0) {
        meaning.append("; ").append(rejection.kind()).append(": ").append(rejection.reason());
      }
    }
    return new Finding("engine", engine.choice().chosen(), meaning.toString());
  }
}
