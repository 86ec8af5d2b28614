package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.testing.VirtualMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@link GuestMain} has told in a virtual machine. */
record Guest(List<List<String>> told) {
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
    List<String> machine =
        List.of("--nodes", Integer.toString(nodes), "--mem-per-node", Long.toString(mibPerNode));
    List<String> arguments = policies.stream().map(PlacementPolicy::toString).toList();
    String text = VirtualMachine.run(folder, machine, GuestMain.class, arguments);
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
