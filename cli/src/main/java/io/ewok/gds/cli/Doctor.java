package io.ewok.gds.cli;

import io.ewok.gds.cli.Finding.Severity;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.ResourceLimits;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.EngineChoice;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.reactor.GroupOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks at what decides how a store runs here. Changes nothing but one probe file that it makes and
 * deletes.
 *
 * <p>Confined to one thread.
 */
final class Doctor {
  private final Machine machine;
  private final Path directory;
  private final StoreOptions options;

  /**
   * @param directory where a store would be
   * @param options what it would be opened with
   */
  Doctor(Machine machine, Path directory, StoreOptions options) {
    this.machine = machine;
    this.directory = directory;
    this.options = options;
  }

  /**
   * Looks at everything, in the order it is printed.
   *
   * @param probes whether the device is measured, too
   */
  List<Finding> examine(boolean probes) {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        Finding.ok("java", Runtime.version().toString(), System.getProperty("java.vm.name", "")));
    findings.addAll(new SystemCheck(machine, options.memoryBytes()).examine());
    findings.addAll(new ProcessorCheck(machine, arePinned(options)).examine());
    findings.addAll(new MemoryCheck(machine, options).examine());
    findings.add(lockedMemory(options.memoryBytes()));
    findings.add(uringSwitch());
    findings.add(uring());
    Optional<Mount> mount = Mount.of(machine, directory);
    Optional<BlockDevice> device = mount.flatMap(found -> BlockDevice.of(machine, found.device()));
    device.ifPresent(
        found ->
            findings.addAll(
                new DeviceCheck(found, options.engine().queueDepth(), machine.nodes()).examine()));
    try (IoEngine engine = IoEngines.open(options.engine())) {
      findings.add(chosen(engine));
      findings.addAll(new DirectoryCheck(engine, directory, mount).examine());
      if (probes) {
        findings.addAll(new DeviceProbe(engine, directory).measure());
      }
    } catch (IOException | RuntimeException | LinkageError e) {
      findings.add(
          Finding.of(
              Severity.FATAL, "engine", "none", "no store can be opened: " + Failures.message(e)));
    }
    return findings;
  }

  private static boolean arePinned(StoreOptions options) {
    GroupOptions reactors = options.engine().reactors();
    return !reactors.nodes().isEmpty() || !reactors.reactor().cpus().isEmpty();
  }

  private static Finding lockedMemory(long neededBytes) {
    String name = "locked memory";
    try {
      ResourceLimits limits = ResourceLimits.memlock();
      String found = "soft " + limit(limits.softBytes()) + ", hard " + limit(limits.hardBytes());
      String wanted = "unlimited, or more than " + Units.bytes(neededBytes);
      String decision = "memory that cannot be registered is handed over with each operation";
      if (limits.softBytes() == ResourceLimits.UNLIMITED || limits.softBytes() > neededBytes) {
        return Finding.ok(name, found, "a store's memory can be registered with io_uring")
            .withWanted(wanted);
      }
      return Finding.of(
              Severity.INFO,
              name,
              found,
              "bounds what can be registered with io_uring, unless the process is privileged")
          .withWanted(wanted)
          .withDecision(decision)
          .withCommands(
              "# where gds is started: ulimit -l unlimited, or LimitMEMLOCK=infinity of the service");
    } catch (ErrnoException e) {
      return Finding.of(Severity.INFO, name, "unknown", e.getMessage());
    }
  }

  private static String limit(long bytes) {
    return bytes == ResourceLimits.UNLIMITED ? "unlimited" : Units.bytes(bytes);
  }

  private Finding uringSwitch() {
    String name = "kernel.io_uring_disabled";
    String found = machine.uringDisabled();
    return switch (found) {
      case "0" -> Finding.ok(name, found, "allowed to every process").withWanted("0");
      case "1" ->
          disabled(name, found, "allowed to privileged processes and the kernel.io_uring_group");
      case "2" -> disabled(name, found, "switched off for every process");
      default ->
          Finding.of(
              Severity.INFO,
              name,
              "absent",
              "this kernel has no such switch, or the container hides it");
    };
  }

  private static Finding disabled(String name, String found, String meaning) {
    return Finding.of(Severity.WARN, name, found, meaning)
        .withWanted("0")
        .withDecision("what is not allowed is not used, see engine")
        .withCommands("sysctl -w kernel.io_uring_disabled=0");
  }

  private static Finding uring() {
    String decision = "io.engine=auto takes it where it works, else threads";
    try {
      UringProbe probe = UringProbe.probe();
      return Finding.of(
              probe.supported() ? Severity.OK : Severity.WARN,
              "io_uring",
              probe.reason().name(),
              probe.message())
          .withWanted(UringProbe.Reason.AVAILABLE.name())
          .withDecision(decision);
    } catch (RuntimeException | LinkageError e) {
      return Finding.of(Severity.WARN, "io_uring", "FAILED", Failures.message(e))
          .withDecision(decision);
    }
  }

  private static Finding chosen(IoEngine engine) {
    StringBuilder meaning = new StringBuilder(engine.description());
    for (EngineChoice.Rejection rejection : engine.choice().rejections()) {
      if (meaning.indexOf(rejection.reason()) < 0) {
        meaning.append("; ").append(rejection.kind()).append(": ").append(rejection.reason());
      }
    }
    Severity severity = engine.choice().rejections().isEmpty() ? Severity.OK : Severity.INFO;
    return Finding.of(severity, "engine", engine.choice().chosen(), meaning.toString());
  }
}
