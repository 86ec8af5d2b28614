package io.ewok.gds.cli.trace;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A picture of hit ratios over cache sizes, a line for each policy, as an SVG document that needs
 * nothing else. Made here because the libraries for it draw with AWT, which wants fonts that
 * servers do not have.
 *
 * {@snippet :
 * var plot = new HitPlot("p3.gz");
 * plot.add("lru", 1000, 0.25);
 * Files.writeString(path, plot.toSvg());
 * }
 */
public final class HitPlot {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 480;
  private static final int LEFT = 60;
  private static final int RIGHT = 710;
  private static final int TOP = 50;
  private static final int BOTTOM = 420;
  private static final int RATIO_STEPS = 10;
  private static final int LABEL_WIDTH = 70;
  private static final String[] COLOURS = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#000000"
  };

  private record Point(long size, double ratio) {}

  private final String title;
  private final Map<String, List<Point>> lines = new LinkedHashMap<>();

  /** A picture without lines. */
  public HitPlot(String title) {
    this.title = title;
  }

  /**
   * Adds a point to the line of a policy.
   *
   * @param size at least 1
   * @param ratio of hits to references, from 0 to 1
   */
  public void add(String policy, long size, double ratio) {
    lines.computeIfAbsent(policy, _ -> new ArrayList<>()).add(new Point(size, ratio));
  }

  /** The document. */
  public String toSvg() {
    StringBuilder svg = new StringBuilder();
    append(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
            + " font-size=\"12\">",
        WIDTH,
        HEIGHT);
    append(svg, "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>", WIDTH, HEIGHT);
    append(svg, "<text x=\"%d\" y=\"28\" font-size=\"16\">%s</text>", LEFT, escaped(title));
    List<Long> sizes =
        lines.values().stream().flatMap(List::stream).map(Point::size).distinct().sorted().toList();
    if (!sizes.isEmpty()) {
      drawAxes(svg, sizes);
      drawLines(svg, sizes);
    }
    return svg.append("</svg>\n").toString();
  }

  private void drawAxes(StringBuilder svg, List<Long> sizes) {
    for (int step = 0; step <= RATIO_STEPS; step++) {
      double y = y((double) step / RATIO_STEPS);
      append(
          svg,
          "<path d=\"M%d %.1f H%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\""
              + " text-anchor=\"end\">%d %%</text>",
          LEFT,
          y,
          RIGHT,
          LEFT - 8,
          y + 4,
          100 * step / RATIO_STEPS);
    }
    double labelled = Double.NEGATIVE_INFINITY;
    for (long size : sizes) {
      double x = x(size, sizes);
      append(svg, "<path d=\"M%.1f %d v5\" stroke=\"black\"/>", x, BOTTOM);
      if (x - labelled >= LABEL_WIDTH) {
        append(
            svg,
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%,d</text>",
            x,
            BOTTOM + 20,
            size);
        labelled = x;
      }
    }
    append(
        svg,
        "<path d=\"M%d %d V%d H%d\" fill=\"none\" stroke=\"black\"/>",
        LEFT,
        TOP,
        BOTTOM,
        RIGHT);
    append(
        svg,
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">cache size in keys; hit ratio</text>",
        (LEFT + RIGHT) / 2,
        BOTTOM + 44);
  }

  private void drawLines(StringBuilder svg, List<Long> sizes) {
    int number = 0;
    for (Map.Entry<String, List<Point>> line : lines.entrySet()) {
      String colour = COLOURS[number % COLOURS.length];
      StringBuilder points = new StringBuilder();
      for (Point point : sorted(line.getValue())) {
        double x = x(point.size, sizes);
        double y = y(point.ratio);
        points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
        append(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>", x, y, colour);
      }
      append(
          svg,
          "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>",
          points.toString().strip(),
          colour);
      int y = TOP + 20 * number;
      append(
          svg,
          "<path d=\"M%d %d h24\" stroke=\"%s\" stroke-width=\"3\"/><text x=\"%d\" y=\"%d\">%s</text>",
          RIGHT + 20,
          y,
          colour,
          RIGHT + 52,
          y + 4,
          escaped(line.getKey()));
      number++;
    }
  }

  private static List<Point> sorted(Collection<Point> points) {
    return points.stream().sorted((a, b) -> Long.compare(a.size, b.size)).toList();
  }

  /** Sizes are spread by their logarithm; a single one lies in the middle. */
  private static double x(long size, List<Long> sizes) {
    double least = Math.log(sizes.getFirst().doubleValue());
    double span = Math.log(sizes.getLast().doubleValue()) - least;
    double part = span == 0 ? 0.5 : (Math.log((double) size) - least) / span;
    return LEFT + 20 + part * (RIGHT - LEFT - 40);
  }

  private static double y(double ratio) {
    return BOTTOM - ratio * (BOTTOM - TOP);
  }

  private static void append(StringBuilder svg, String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  /** Only what XML allows, so that any file name gives a readable document. */
  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replaceAll("\\p{Cntrl}", "?");
  }
}
