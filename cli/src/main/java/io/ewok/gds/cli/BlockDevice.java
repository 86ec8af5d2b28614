package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the kernel tells of a block device in {@code /sys}. What it does not tell is empty.
 *
 * <p>Any thread; each question is read anew.
 */
final class BlockDevice {
  private static final Pattern CHOSEN = Pattern.compile("\\[([\\w-]+)]");

  private final Machine machine;

  /** The directory of the whole device, relative to the root. */
  private final String directory;

  private final String name;

  private BlockDevice(Machine machine, String directory, String name) {
    this.machine = machine;
    this.directory = directory;
    this.name = name;
  }

  /**
   * Finds a device by its number; that of a partition is the device that it is on.
   *
   * @param number as in {@code 254:1}
   * @return nothing where the kernel shows none, as of file systems in memory or over the network
   */
  static Optional<BlockDevice> of(Machine machine, String number) {
    try {
      Path root = machine.root().toRealPath();
      Path device = root.resolve("sys/dev/block").resolve(number).toRealPath();
      if (Files.exists(device.resolve("partition"))) {
        device = device.getParent();
      }
      return Optional.of(
          new BlockDevice(
              machine, root.relativize(device).toString(), device.getFileName().toString()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The name, such as {@code nvme0n1}. */
  String name() {
    return name;
  }

  /** The scheduler that is chosen, such as {@code none}. */
  String scheduler() {
    Matcher chosen = CHOSEN.matcher(queue("scheduler"));
    return chosen.find() ? chosen.group(1) : queue("scheduler");
  }

  /** {@code 1} for a disk that turns, {@code 0} for others. */
  String rotational() {
    return queue("rotational");
  }

  /** {@code write back} for a cache that has to be flushed, {@code write through} for others. */
  String writeCache() {
    return queue("write_cache");
  }

  OptionalLong number(String file) {
    return machine.number(directory + "/queue/" + file);
  }

  /** The NUMA node that it is attached to; empty if none in particular. */
  OptionalLong node() {
    String text = machine.text(directory + "/device/numa_node");
    return text.matches("\\d{1,4}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
  }

  /** What control groups let this process do to it, see {@link Machine#ioLimits}. */
  Set<String> limits() {
    return machine.ioLimits(machine.text(directory + "/dev"));
  }

  /** The numbers of the interrupts of its controller; none if the kernel does not tell. */
  List<String> interrupts() {
    String path = directory;
    while (path.contains("/")) {
      List<String> interrupts = machine.list(path + "/msi_irqs");
      if (!interrupts.isEmpty()) {
        return interrupts;
      }
      path = path.substring(0, path.lastIndexOf('/'));
    }
    return List.of();
  }

  /** The CPUs to which these go. */
  NavigableSet<Integer> interruptedCpus() {
    NavigableSet<Integer> cpus = new TreeSet<>();
    interrupts().forEach(interrupt -> cpus.addAll(machine.cpusOfInterrupt(interrupt)));
    return cpus;
  }

  /** Where a setting of its queue is changed, as a word of the shell. */
  String queuePath(String file) {
    return DoctorScript.quoted("/sys/block/" + name + "/queue/" + file);
  }

  private String queue(String file) {
    return machine.text(directory + "/queue/" + file);
  }
}
