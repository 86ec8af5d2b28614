package io.ewok.gds.allocator.numa;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a {@link NumaTopology} from the files of a Linux kernel. */
final class SysfsTopology {
  private static final Pattern BYTES =
      Pattern.compile("(?:Node [0-9]+ )?(Mem(?:Total|Free)):\\s+([0-9]{1,15}) kB");
  private static final Pattern DISTANCE = Pattern.compile("[0-9]{1,9}");

  private final Path system;
  private final Path meminfo;

  SysfsTopology(Path root) {
    this.system = root.resolve("sys/devices/system");
    this.meminfo = root.resolve("proc/meminfo");
  }

  NumaTopology read() {
    try {
      List<NumaNode> nodes = new ArrayList<>();
      for (int id : list("node/online", PlacementPolicy.NODE_MAX).stream().toArray()) {
        nodes.add(node(id));
      }
      return NumaTopology.declared(nodes);
    } catch (IOException | IllegalArgumentException e) {
      return NumaTopology.fallback(onlyNode(), "the nodes cannot be read: " + e);
    }
  }

  private NumaNode node(int id) throws IOException {
    String directory = "node/node" + id + "/";
    BitSet cpus = list(directory + "cpulist", NumaNode.CPU_MAX);
    Memory memory = memory(system.resolve(directory + "meminfo"));
    List<Integer> distances = new ArrayList<>();
    Path file = system.resolve(directory + "distance");
    for (String distance : text(file).split("\\s+", -1)) {
      if (!DISTANCE.matcher(distance).matches()) {
        throw new IOException("not a list of distances: file=" + file);
      }
      distances.add(Integer.valueOf(distance));
    }
    return new NumaNode(id, cpus, memory.totalBytes, memory.freeBytes, distances);
  }

  /** All CPUs and all memory, as far as they are known. */
  private NumaNode onlyNode() {
    BitSet cpus = new BitSet();
    try {
      cpus = list("cpu/online", NumaNode.CPU_MAX);
    } catch (IOException e) {
      cpus.set(0, Runtime.getRuntime().availableProcessors());
    }
    Memory memory;
    try {
      memory = memory(meminfo);
    } catch (IOException e) {
      memory = new Memory(Long.MAX_VALUE, Long.MAX_VALUE);
    }
    return new NumaNode(0, cpus, memory.totalBytes, memory.freeBytes, List.of(10));
  }

  private record Memory(long totalBytes, long freeBytes) {}

  private static Memory memory(Path file) throws IOException {
    long totalBytes = -1;
    long freeBytes = -1;
    for (String line : text(file).lines().toList()) {
      Matcher bytes = BYTES.matcher(line.strip());
      if (bytes.matches()) {
        long value = Long.parseLong(bytes.group(2)) << 10;
        if (bytes.group(1).equals("MemTotal")) {
          totalBytes = value;
        } else {
          freeBytes = value;
        }
      }
    }
    if (freeBytes < 0 || totalBytes < freeBytes) {
      throw new IOException("no total and free memory in kB: file=" + file);
    }
    return new Memory(totalBytes, freeBytes);
  }

  private BitSet list(String name, int max) throws IOException {
    Path file = system.resolve(name);
    return NodeList.parse(text(file), max)
        .orElseThrow(
            () -> new IOException("not a list of numbers up to " + max + ": file=" + file));
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).strip();
  }
}
