package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  private String drawn() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void barShowsThePartThatIsDone() {
    try (Progress progress = new Progress(2, 10, out, false)) {
      progress.begin(0, "first", 5);
      assertEquals("[" + ".".repeat(24) + "]   0 %  round 1 of 2: first", progress.line(SECOND));
      progress.begin(1, "second", 5);
      String half = "[" + "#".repeat(12) + ".".repeat(12) + "]  50 %  round 2 of 2: second, about";
      assertTrue(progress.line(SECOND).startsWith(half), progress.line(SECOND));
    }
  }

  /** What is to come takes as long for each as what is done, which a sleep makes to be known. */
  @Test
  void timeLeftFollowsFromTimeTaken() throws Exception {
    try (Progress progress = new Progress(0, 1000, out, false)) {
      progress.begin("one", 1);
      Thread.sleep(50);
      progress.begin("others", 1);
      String line = progress.line(0);
      String seconds = ".*, about (5\\d|[6-8]\\d|90) s left";
      assertTrue(line.matches(seconds + "|.*, about \\d+ min left"), line);
      assertTrue(progress.line(TimeUnit.HOURS.toNanos(20)).endsWith("about 0 s left"));
    }
  }

  @Test
  void lineIsNotLongerThanATerminal() {
    try (Progress progress = new Progress(1, 2, out, false)) {
      progress.begin(0, "x".repeat(200), 1);
      progress.begin(0, "y".repeat(200), 1);
      String line = progress.line(SECOND);
      assertEquals(79, line.length());
      assertTrue(line.contains("y…, about "), line);
    }
  }

  @Test
  void terminalHasABarUntilItIsClosed() throws Exception {
    try (Progress progress = new Progress(1, 2, out, true)) {
      progress.begin(0, "drawn", 1);
      long deadline = System.nanoTime() + 60 * SECOND;
      while (!drawn().contains("round 1 of 1: drawn") && System.nanoTime() < deadline) {
        Thread.sleep(20);
      }
      assertTrue(drawn().contains("round 1 of 1: drawn"), drawn());
    }
    assertTrue(drawn().endsWith("\r\u001B[K"), "it is gone");
    assertFalse(drawn().contains("\n"), "it leaves no line behind");
  }

  @Test
  void nothingIsPrintedElsewhere() throws Exception {
    try (Progress progress = new Progress(1, 2, out, false)) {
      progress.begin(0, "silent", 1);
      Thread.sleep(1200);
    }
    assertEquals("", drawn());
  }
}
