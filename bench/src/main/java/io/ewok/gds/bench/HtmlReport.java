package io.ewok.gds.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A page with the results of a run: for each layer the ratios as bars with their spread, what else
 * there is to draw, and all numbers in a table. It is one file, whose charts (Chart.js) need no
 * network; readable in light and dark, and as a table without scripts.
 */
final class HtmlReport {
  private static final String PAGE = "report.html";
  private static final String CHARTS =
      "/META-INF/resources/webjars/chart.js/4.5.1/dist/chart.umd.min.js";

  private HtmlReport() {}

  /** Writes the page in place of what is there. */
  static void write(Path file, String title, List<Comparison> rows, List<Chart> charts)
      throws IOException {
    Files.writeString(file, page(title, rows, charts));
  }

  static String page(String title, List<Comparison> rows, List<Chart> charts) throws IOException {
    return resource(PAGE)
        .replace("@title@", text(title))
        .replace("@machine@", text(machine()))
        .replace("@rows@", rows.stream().map(HtmlReport::row).collect(Collectors.joining()))
        .replace("@data@", data(rows.stream().map(Comparison::toJson)))
        .replace("@curves@", data(charts.stream().map(Chart::toJson)))
        .replace("@charts@", resource(CHARTS));
  }

  /** What the numbers depend on most. */
  private static String machine() {
    return "%d processors, %s %s, %s %s, %s"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("java.vm.name"),
            System.getProperty("java.version"),
            LocalDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.MINUTES));
  }

  private static String row(Comparison row) {
    boolean isAlone = row.rival() == null;
    return "<tr><td>%s</td><td>%s</td><td class=n>%s %s</td><td>%s</td><td class=n>%s</td><td class=n>%s</td><td class=n>%s</td></tr>%n"
        .formatted(
            text(row.layer()),
            text(row.name()),
            Comparison.number(row.ours()),
            text(row.unit()),
            isAlone ? "" : text(row.rival()),
            isAlone ? "" : Comparison.number(row.theirs()) + " " + text(row.unit()),
            isAlone ? "" : Comparison.number(row.ratio()),
            isAlone ? "" : Comparison.number(row.low()) + " … " + Comparison.number(row.high()));
  }

  private static String data(Stream<String> objects) {
    return objects
        .map(json -> json.replace("<", "\\u003c"))
        .collect(Collectors.joining(",\n", "[", "]"));
  }

  private static String text(String raw) {
    return raw.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream = HtmlReport.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IOException("the resource is missing: name=" + name);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
