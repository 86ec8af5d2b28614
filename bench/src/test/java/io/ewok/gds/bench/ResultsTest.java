package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.bench.curves.Curves;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the rows of a report: files, pages, and comparisons of two runs. */
class ResultsTest {
  private static final double[] THREE = {1, 2, 3};

  @TempDir private Path temp;

  private static Comparison row(String name, double ratio, double low, double high) {
    return new Comparison("lsm", name, "ns", 10, "rival", 10 * ratio, ratio, low, high, 3);
  }

  @Test
  void rowsComeBackAsTheyWereWritten() throws IOException {
    List<Comparison> rows =
        List.of(
            row("get", 2.5, 2.25, 2.75),
            Comparison.ofRates("lsm", "put", "k/s", THREE, "RocksDB", new double[] {1, 1, 1}),
            Comparison.alone("lsm", "bytes", "B", THREE));
    Path file = temp.resolve("rows.jsonl");
    ResultFile.write(file, rows);
    assertEquals(rows, ResultFile.read(file));
    ResultFile.write(file, rows.subList(0, 1));
    assertEquals(rows.subList(0, 1), ResultFile.read(file));
  }

  @Test
  void whatIsNoRowIsNamedByItsLine() throws IOException {
    Path file = temp.resolve("rows.jsonl");
    String sound = row("get", 1, 1, 1).toJson();
    for (String wrong :
        List.of("{", "[]", "3", "{}", sound.replace("\"ratio\":", "\"no\":"), sound.substring(9))) {
      Files.write(file, List.of(sound, "", wrong));
      IOException failure = assertThrows(IOException.class, () -> ResultFile.read(file), wrong);
      assertTrue(failure.getMessage().contains("line=3"), failure.getMessage());
    }
  }

  @Test
  void changesAreToldFromTheSpread() {
    List<Comparison> before =
        List.of(
            row("better", 1, 0.9, 1.1),
            row("worse", 1, 0.9, 1.1),
            row("same", 1, 0.9, 1.1),
            row("gone", 1, 0.9, 1.1),
            Comparison.alone("lsm", "alone", "ns", THREE));
    List<Comparison> after =
        List.of(
            row("new", 1, 0.9, 1.1),
            row("same", 1.2, 1.05, 1.3),
            row("worse", 0.5, 0.4, 0.89),
            row("better", 1.5, 1.2, 1.6));
    List<CompareReport.Pair> pairs = CompareReport.pairs(before, after);
    assertEquals(
        List.of("better", "worse", "within the spread", "only in A", "only in B"),
        pairs.stream().map(CompareReport.Pair::verdict).toList());
    assertEquals(1.5, pairs.getFirst().change());
    String table = CompareReport.table(pairs);
    assertEquals(6, table.lines().count());
    assertTrue(
        table.lines().toList().get(1).endsWith("1.50 [1.20 … 1.60]     1.50  better"), table);
  }

  /** A case may be told of in two ways: how many a second, and what each costs. */
  @Test
  void rowsOfOtherUnitsAreNoPair() {
    Comparison rate = new Comparison("pagestore", "read", "k/s", 9, "fio", 9, 1, 0.9, 1.1, 3);
    Comparison cost = new Comparison("pagestore", "read", "us", 9, "fio", 3, 3, 2.9, 3.1, 3);
    assertEquals(
        List.of("within the spread", "within the spread"),
        CompareReport.pairs(List.of(rate, cost), List.of(cost, rate)).stream()
            .map(CompareReport.Pair::verdict)
            .toList());
  }

  @Test
  void compareSaysWhatIsWrong() throws IOException {
    assertEquals(2, CompareReport.run(new String[] {"one"}));
    assertEquals(0, CompareReport.run(new String[] {"--help"}));
    Path absent = temp.resolve("absent");
    assertEquals(1, CompareReport.run(new String[] {absent.toString(), absent.toString()}));
    Path file = temp.resolve("rows.jsonl");
    ResultFile.write(file, List.of(row("get", 1, 1, 1)));
    assertEquals(0, CompareReport.run(new String[] {file.toString(), file.toString()}));
  }

  @Test
  void pageIsOneFileWithAllNumbers() throws IOException {
    Comparison hostile = row("</script><b>&", 0.5, 0.25, 1);
    String page =
        HtmlReport.page("gds bench <x>", List.of(row("get", 2.5, 2.25, 2.75), hostile), List.of());
    assertTrue(page.contains("<title>gds bench &lt;x&gt;</title>"), "the title is escaped");
    assertTrue(page.contains("<td>&lt;/script&gt;&lt;b&gt;&amp;</td>"), "cells are escaped");
    assertFalse(page.contains("</script><b>"), "data do not end the script");
    assertTrue(page.contains("\"ratio\":2.500"), "the data are there");
    assertTrue(page.contains("Chart.js v4"), "the charts are there");
    assertFalse(page.matches("(?s).*<(script|link|img)[^>]+(src|href)=.*"), "nothing is fetched");
    assertFalse(page.matches("(?s).*@(title|machine|rows|data|charts)@.*"), "nothing is left open");
  }

  /** Where there is a Chromium: it runs the page as a reader's does, without a network. */
  @Test
  void chartsAreDrawn() throws Exception {
    Path chromium = Path.of("/usr/bin/chromium");
    assumeTrue(Files.isExecutable(chromium), "there is no " + chromium);
    Path page = temp.resolve("page.html");
    Comparison pages = new Comparison("pagestore", "read", "k/s", 9, "fio", 9, 1, 0.9, 1.1, 3);
    HtmlReport.write(page, "drawn", List.of(row("get", 2.5, 2.25, 2.75), pages), charts());
    Path drawn = temp.resolve("drawn.html");
    Process process =
        new ProcessBuilder(
                chromium.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--user-data-dir=" + temp.resolve("profile"),
                "--virtual-time-budget=5000",
                "--dump-dom",
                page.toUri().toString())
            .redirectOutput(drawn.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertTrue(process.waitFor(2, TimeUnit.MINUTES), "Chromium has not ended");
    } finally {
      process.destroyForcibly();
    }
    String dom = Files.readString(drawn);
    assertTrue(dom.contains("data-charts=\"6\""), "a chart for each layer, and the others");
    assertTrue(dom.contains("<h2>pagestore</h2>"), "with its name");
    assertTrue(dom.contains("<h2>Hit ratios</h2>"), "a section for each kind that there is");
    assertTrue(dom.contains("<h3>write amplification</h3>"), "and the title of a chart");
    assertEquals(6, dom.split("<canvas", -1).length - 1);
  }

  /** One of each kind. */
  private static List<Chart> charts() {
    Curves ours = new Curves(Curves.PERCENTILES, 0.1, List.of(1e6, 2e6, 1.5e6));
    Curves theirs = new Curves(List.of(4.0, 5.0, Double.NaN), 0.2, List.of(5e5, 7e5));
    Map<String, Curves> curves = new LinkedHashMap<>();
    curves.put("store", ours);
    curves.put("</script>", theirs);
    List<Chart> charts = new ArrayList<>(Chart.of("put", curves));
    List<Double> sizes = List.of(1.0, 2.0, 5.0);
    Chart.Series hits = new Chart.Series("store", sizes, List.of(10.0, 20.0, 50.0));
    charts.add(new Chart(Chart.Kind.HITS, "trace", List.of(), List.of(hits)));
    Chart.Series bars = new Chart.Series("store", List.of(), List.of(3.5, Double.NaN));
    charts.add(
        new Chart(
            Chart.Kind.WRITES, "write amplification", List.of("put", "other"), List.of(bars)));
    return charts;
  }

  @Test
  void chartsAreDataOfThePage() throws IOException {
    String page = HtmlReport.page("page", List.of(), charts());
    assertTrue(page.contains("\"kind\":\"TIME\",\"title\":\"put\""), "rates");
    assertTrue(page.contains("\"x\":[0.1000,0.3000],\"y\":[5.000e+05,7.000e+05]"), "in slices");
    assertTrue(page.contains("\"x\":[1.111,1.333],\"y\":[4.000,5.000]"), "no latency is missing");
    assertTrue(page.contains("\"y\":[3.500,null]"), "a bar that there is not");
    assertFalse(page.contains("\"</script>\""), "data do not end the script");
    assertFalse(page.contains("@curves@"), "nothing is left open");
  }

  @Test
  void whoWasSeenTooShortlyHasNoLine() {
    Curves once = new Curves(List.of(1.0), 0.1, List.of(1.0));
    Curves atTheEnd = new Curves(List.of(), 0.1, List.of(0.0, 0.0, 1.0));
    assertEquals(List.of(), Chart.of("short", Map.of("store", once)));
    assertEquals(List.of(), Chart.of("all at once", Map.of("store", atTheEnd)));
    assertEquals(List.of(), Chart.of("none", Map.of("store", Curves.none())));
  }

  /** A file as it was written before there were charts. */
  @Test
  void olderFilesAreRead() throws IOException {
    Path file = temp.resolve("older.jsonl");
    String older =
        "{\"layer\":\"lsm\",\"case\":\"get\",\"unit\":\"ns\",\"ours\":10.00,\"rival\":\"rival\","
            + "\"theirs\":25.00,\"ratio\":2.500,\"low\":2.250,\"high\":2.750,\"repeats\":3}";
    Files.write(file, List.of(older));
    assertEquals(List.of(row("get", 2.5, 2.25, 2.75)), ResultFile.read(file));
    assertEquals(
        older, row("get", 2.5, 2.25, 2.75).toJson(), "and so are newer ones by older code");
  }

  @Test
  void filesAreTriedBeforeAnythingIsMeasured() throws IOException {
    Path file = temp.resolve("rows.jsonl");
    Path page = temp.resolve("page.html");
    String[] arguments = {"--output", file.toString(), "--html", page.toString()};
    ReportArguments parsed = ReportArguments.parse(arguments, Set.of());
    assertEquals(0, parsed.write("title", List.of(row("get", 1, 1, 1)), List.of()));
    assertEquals(1, ResultFile.read(file).size());
    assertTrue(Files.readString(page).contains("<title>title</title>"));
    for (Path wrong : List.of(temp, temp.resolve("absent").resolve("file"))) {
      String[] refused = {"--html", wrong.toString()};
      assertThrows(IllegalArgumentException.class, () -> ReportArguments.parse(refused, Set.of()));
    }
  }
}
