package io.ewok.gds.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class HitPlotTest {
  @Test
  void eachPolicyIsALineFromTheSmallestSizeToTheLargest() {
    HitPlot plot = new HitPlot("trace");
    plot.add("lru", 1000, 1.0);
    plot.add("lru", 10, 0.0);
    plot.add("lru", 100, 0.5);
    plot.add("opt", 10, 0.5);
    String svg = plot.toSvg();
    assertTrue(svg.contains("points=\"80.0,420.0 385.0,235.0 690.0,50.0\""), svg);
    assertTrue(svg.contains(">lru<") && svg.contains(">opt<") && svg.contains(">1,000<"), svg);
  }

  @Test
  void labelsOfSizesDoNotOverlap() {
    HitPlot plot = new HitPlot("trace");
    for (long size : new long[] {1000, 1001, 5000, 1_000_000}) {
      plot.add("lru", size, 0.5);
    }
    String svg = plot.toSvg();
    assertTrue(svg.contains(">1,000<") && svg.contains(">5,000<") && svg.contains(">1,000,000<"));
    assertFalse(svg.contains(">1,001<"), svg);
  }

  @Test
  void namesCannotBreakTheDocument() {
    HitPlot plot = new HitPlot("<a&\u0001>");
    plot.add("<", 5, 0.1);
    String svg = plot.toSvg();
    assertTrue(svg.contains(">&lt;a&amp;?><"), svg);
    assertEquals(0, Pattern.compile("[\\x00-\\x09\\x0B-\\x1F]").matcher(svg).results().count());
  }

  @Test
  void pictureWithoutLinesIsADocumentToo() {
    assertTrue(new HitPlot("nothing").toSvg().endsWith("</svg>\n"));
  }
}
