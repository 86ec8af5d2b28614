package io.ewok.gds.cli;

import io.ewok.gds.cli.Finding.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/** Looks at the block device under a directory. */
final class DeviceCheck {
  private static final long READ_AHEAD_KIB_MAX = 32;
  private static final int READ_AHEAD_KIB = 8;

  private final BlockDevice device;
  private final int queueDepth;
  private final int nodes;

  /**
   * @param queueDepth operations that the engine hands over at once
   * @param nodes of memory that the machine has
   */
  DeviceCheck(BlockDevice device, int queueDepth, int nodes) {
    this.device = device;
    this.queueDepth = queueDepth;
    this.nodes = nodes;
  }

  List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(rotational());
    findings.add(scheduler());
    findings.add(queue());
    findings.add(merging());
    findings.add(readAhead());
    findings.add(writeCache());
    findings.add(blocks());
    findings.add(interrupts());
    findings.add(limits());
    if (nodes > 1 && device.node().isPresent()) {
      findings.add(node());
    }
    return findings;
  }

  private boolean turns() {
    return device.rotational().equals("1");
  }

  private Finding rotational() {
    String name = "device";
    return turns()
        ? Finding.of(
                Severity.INFO,
                name,
                device.name() + ", rotational",
                "the kernel takes it for a disk that turns; if it is none, that costs speed")
            .withWanted("not rotational, if it does not turn")
            .withDecision("nothing, since reads of a store go to random places anyway")
            .withCommands("# if it does not turn: echo 0 > " + device.queuePath("rotational"))
        : Finding.ok(
            name, device.name() + ", not rotational", "random reads cost no way of a head");
  }

  private Finding scheduler() {
    String name = "I/O scheduler";
    String found = device.scheduler();
    String wanted = turns() ? "mq-deadline" : "none";
    boolean good = found.equals(wanted) || found.equals("mq-deadline");
    if (good || found.isEmpty()) {
      return Finding.ok(name, found.isEmpty() ? "unknown" : found, "operations go on as they come")
          .withWanted(wanted);
    }
    return Finding.of(
            Severity.WARN,
            name,
            found,
            turns()
                ? "reads may wait behind many writes"
                : "it costs processor time for each operation, and holds some back")
        .withWanted(wanted)
        .withDecision("work is ordered by the engine: see throttle.…share")
        .withCommands("echo " + wanted + " > " + device.queuePath("scheduler"));
  }

  private Finding queue() {
    OptionalLong found = device.number("nr_requests");
    if (found.isEmpty() || found.getAsLong() >= queueDepth) {
      return Finding.ok(
              "device queue",
              found.isEmpty() ? "unknown" : Units.count(found.getAsLong()),
              "holds what the engine hands over at once")
          .withWanted("io.queue-depth=" + queueDepth + " or more");
    }
    return Finding.of(
            Severity.WARN,
            "device queue",
            Units.count(found.getAsLong()),
            "submitting an operation waits while the queue is full, and with it all others")
        .withWanted("io.queue-depth=" + queueDepth + " or more")
        .withDecision("the engine hands over io.queue-depth operations all the same")
        .withCommands("echo " + queueDepth + " > " + device.queuePath("nr_requests"));
  }

  private Finding merging() {
    String name = "request merging";
    OptionalLong found = device.number("nomerges");
    String decision = "flushes, compactions and the log write in large pieces themselves";
    if (turns() || found.isEmpty() || found.getAsLong() == 2) {
      return Finding.ok(
              name,
              found.isEmpty() ? "unknown" : "nomerges=" + found.getAsLong(),
              turns() ? "what lies together on a disk that turns goes there together" : "none")
          .withDecision(decision);
    }
    return Finding.of(
            Severity.INFO,
            name,
            "nomerges=" + found.getAsLong(),
            "for each operation the kernel looks for another one that it joins: random reads have"
                + " none")
        .withWanted("nomerges=2")
        .withDecision(decision)
        .withCommands("echo 2 > " + device.queuePath("nomerges"));
  }

  private Finding readAhead() {
    String name = "read-ahead";
    OptionalLong found = device.number("read_ahead_kb");
    String decision = "stores read ahead themselves, past the page cache";
    if (found.isEmpty() || found.getAsLong() <= READ_AHEAD_KIB_MAX) {
      return Finding.ok(
              name,
              found.isEmpty() ? "unknown" : found.getAsLong() + " KiB",
              "of files that go through the page cache")
          .withDecision(decision);
    }
    return Finding.of(
            Severity.INFO,
            name,
            found.getAsLong() + " KiB",
            "where files go through the page cache, reads of one block read so much")
        .withWanted("8 to " + READ_AHEAD_KIB_MAX + " KiB")
        .withDecision(decision)
        .withCommands("echo " + READ_AHEAD_KIB + " > " + device.queuePath("read_ahead_kb"));
  }

  private Finding writeCache() {
    String found = device.writeCache();
    String decision =
        "io.sync-method=auto tries write-through and fdatasync, and goes on with the faster one";
    return switch (found) {
      case "write through" ->
          Finding.ok("write cache", found, "what is written is durable, as the device says")
              .withDecision(decision);
      case "write back" ->
          Finding.of(
                  Severity.INFO,
                  "write cache",
                  found,
                  "what is written is in the device's memory until it is flushed: each sync waits"
                      + " for that")
              .withWanted("write through, by power-loss protection")
              .withDecision(decision);
      default ->
          Finding.of(Severity.INFO, "write cache", "unknown", "nobody says what a sync costs")
              .withWanted("write through, by power-loss protection")
              .withDecision(decision);
    };
  }

  private Finding blocks() {
    OptionalLong logical = device.number("logical_block_size");
    OptionalLong physical = device.number("physical_block_size");
    String found =
        logical.isEmpty() || physical.isEmpty()
            ? "unknown"
            : "logical %d B, physical %d B".formatted(logical.getAsLong(), physical.getAsLong());
    return Finding.ok(
            "device blocks", found, "shorter writes than physical ones are read, changed, written")
        .withDecision("log and tables are written in multiples of 4096 B");
  }

  /** One of them is not of a queue but tells of changes of the device itself. */
  private Finding interrupts() {
    String name = "interrupts";
    List<String> interrupts = device.interrupts();
    String decision = "completions are taken by the reactor whose ring they are of, wherever it is";
    if (interrupts.isEmpty() || device.interruptedCpus().isEmpty()) {
      return Finding.ok(name, "unknown", "the kernel tells of none of this device")
          .withDecision(decision);
    }
    String found = "%d, to CPUs %s".formatted(interrupts.size(), device.interruptedCpus());
    boolean several = interrupts.size() > 2 && Runtime.getRuntime().availableProcessors() > 1;
    if (several && device.interruptedCpus().size() == 1) {
      return Finding.of(
              Severity.WARN,
              name,
              found,
              "the device has several queues, and one CPU takes what all of them have done")
          .withWanted("several CPUs")
          .withDecision(decision)
          .withCommands(
              "# start irqbalance, or, where the driver lets you, for each of "
                  + interrupts
                  + ": echo CPU > /proc/irq/NUMBER/smp_affinity_list");
    }
    return Finding.ok(
            name, found, several ? "queues have CPUs of their own" : "the device has one queue")
        .withDecision(decision);
  }

  private Finding limits() {
    String name = "I/O limit";
    Set<String> limits = device.limits();
    if (limits.isEmpty()) {
      return Finding.ok(name, "none", "no control group limits what this process reads and writes");
    }
    return Finding.of(
            Severity.INFO,
            name,
            String.join(" ", limits),
            "the kernel holds back what is beyond it, a read of a user as much as a compaction")
        .withWanted("throttle.read and throttle.write a little below")
        .withDecision(
            "the engine puts in order what its own limits hold back: see throttle.…share");
  }

  private Finding node() {
    long node = device.node().getAsLong();
    return Finding.of(
            Severity.INFO,
            "device node",
            Long.toString(node),
            "reactors, and buffers that the device reads and writes, are nearest to it there")
        .withWanted("reactor.nodes=%d and store.numa.buffers=preferred:%d".formatted(node, node))
        .withDecision("nothing: both are where these settings say");
  }
}
