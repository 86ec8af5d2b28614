package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@link GuestMain} has told in a virtual machine. */
record Guest(List<List<String>> told) {
  static final String RUNNER = "gds.test.vm";

  private static final int MINUTES_MAX = 10;
  private static final Pattern ENTRY = Pattern.compile("([0-9]+)=([0-9]+)");

  /** What came of one request: every page, what the library has sampled of them, and its reason. */
  record Placed(
      String where,
      PlacementPolicy requested,
      PlacementPolicy effective,
      Map<Integer, Integer> pages,
      Map<Integer, Integer> sampled,
      String reason) {

    void assertAsRequested() {
      assertEquals(requested, effective, toString());
      assertEquals("", reason, toString());
    }

    /** That exactly these nodes have pages, in these proportions; and that the sample saw it. */
    void assertPages(Map<Integer, Integer> shares) {
      assertEquals(shares.keySet(), pages.keySet(), toString());
      assertEquals(shares.keySet(), sampled.keySet(), toString());
      double allPages = sum(pages);
      double allShares = sum(shares);
      shares.forEach(
          (node, share) ->
              assertEquals(share / allShares, pages.get(node) / allPages, 0.02, toString()));
    }

    private static int sum(Map<Integer, Integer> counts) {
      return counts.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  /** Runs {@link GuestMain} with policies in a new virtual machine. */
  static Guest run(Path folder, int nodes, long mibPerNode, List<PlacementPolicy> policies)
      throws Exception {
    List<String> command =
        new ArrayList<>(List.of(System.getProperty(RUNNER).strip().split(" +", -1)));
    command.addAll(List.of("--nodes", Integer.toString(nodes)));
    command.addAll(List.of("--mem-per-node", Long.toString(mibPerNode), "--"));
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            GuestMain.class.getName()));
    policies.forEach(policy -> command.add(policy.toString()));

    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(MINUTES_MAX, TimeUnit.MINUTES);
    process.destroy();
    String text = Files.readString(output);
    assertTrue(ended, "still running: " + command + "\n" + text);
    assertEquals(0, process.exitValue(), command + "\n" + text);
    return new Guest(
        text.lines()
            .filter(line -> line.startsWith(GuestMain.PREFIX))
            .map(line -> List.of(line.split("\\|", -1)))
            .toList());
  }

  /** The fields of the lines of a kind. */
  List<List<String>> lines(String kind) {
    return told.stream()
        .filter(fields -> fields.get(1).equals(kind))
        .map(fields -> fields.subList(2, fields.size() - 1))
        .toList();
  }

  Placed placed(String where, PlacementPolicy requested) {
    List<String> fields =
        lines("placed").stream()
            .filter(line -> line.get(0).equals(where))
            .filter(line -> line.get(1).equals(requested.toString()))
            .findFirst()
            .orElseThrow();
    return new Placed(
        where,
        requested,
        PlacementPolicy.parse(fields.get(2)),
        counts(fields.get(3)),
        counts(fields.get(4)),
        fields.get(5));
  }

  /** The text of a map of numbers. */
  static Map<Integer, Integer> counts(String text) {
    Map<Integer, Integer> counts = new TreeMap<>();
    Matcher entry = ENTRY.matcher(text);
    while (entry.find()) {
      counts.put(Integer.valueOf(entry.group(1)), Integer.valueOf(entry.group(2)));
    }
    return counts;
  }
}
