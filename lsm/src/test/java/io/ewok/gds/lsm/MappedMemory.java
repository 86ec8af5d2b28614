package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A mapping of this process, as the kernel tells of it in {@code /proc/self/smaps} and {@code
 * /proc/self/numa_maps}; it joins neighbours that are alike.
 *
 * @param policy its NUMA policy, in the words of numa_maps
 * @param bytes size in bytes
 * @param pagesByNode how many of its pages lie on each node
 * @param flags what smaps calls {@code VmFlags}: {@code hg} is advised to have huge pages, {@code
 *     nh} not to have them, {@code ht} has explicit ones
 */
record MappedMemory(String policy, long bytes, Map<Integer, Long> pagesByNode, List<String> flags) {
  private static final Path PROCESS = Path.of("/proc/self");
  private static final Pattern RANGE = Pattern.compile("([0-9a-f]{1,16})-([0-9a-f]{1,16}) .*");
  private static final Pattern PLACED =
      Pattern.compile("([0-9a-f]+) ((?:prefer |weighted )?\\S+)(?: .*)?");
  private static final Pattern ON_NODE = Pattern.compile("N([0-9]+)=([0-9]+)");

  /** All that have a policy other than the default. */
  static List<MappedMemory> placed() throws IOException {
    Map<Long, Long> ends = new HashMap<>();
    Map<Long, List<String>> flags = new HashMap<>();
    long start = 0;
    for (String line : Files.readAllLines(PROCESS.resolve("smaps"))) {
      Matcher range = RANGE.matcher(line);
      if (range.matches()) {
        start = Long.parseUnsignedLong(range.group(1), 16);
        ends.put(start, Long.parseUnsignedLong(range.group(2), 16));
      } else if (line.startsWith("VmFlags:")) {
        flags.put(start, List.of(line.substring("VmFlags:".length()).strip().split(" ")));
      }
    }
    List<MappedMemory> found = new ArrayList<>();
    for (String line : Files.readAllLines(PROCESS.resolve("numa_maps"))) {
      Matcher placed = PLACED.matcher(line);
      if (placed.matches() && !placed.group(2).equals("default")) {
        long from = Long.parseUnsignedLong(placed.group(1), 16);
        found.add(
            new MappedMemory(placed.group(2), ends.get(from) - from, nodes(line), flags.get(from)));
      }
    }
    return found;
  }

  private static Map<Integer, Long> nodes(String line) {
    Map<Integer, Long> nodes = new TreeMap<>();
    Matcher onNode = ON_NODE.matcher(line);
    while (onNode.find()) {
      nodes.put(Integer.valueOf(onNode.group(1)), Long.valueOf(onNode.group(2)));
    }
    return nodes;
  }

  /** The bytes of all with each policy. */
  static Map<String, Long> bytesByPolicy(List<MappedMemory> all) {
    Map<String, Long> sums = new TreeMap<>();
    all.forEach(memory -> sums.merge(memory.policy(), memory.bytes(), Long::sum));
    return sums;
  }
}
