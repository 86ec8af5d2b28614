package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final CountDownLatch barIsThere = new CountDownLatch(1);
  private final ByteArrayOutputStream bytes =
      new ByteArrayOutputStream() {
        @Override
        public void flush() {
          if (drawn().contains("round 1 of 1: drawn")) {
            barIsThere.countDown();
          }
        }
      };
  private final PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
  private long nanos = 17;

  private Progress progress(int rounds, long total, boolean isTerminal) {
    return new Progress(rounds, total, out, isTerminal, () -> nanos);
  }

  private String drawn() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void barShowsThePartThatIsDone() {
    try (Progress progress = progress(2, 10, false)) {
      progress.begin(0, "first", 5);
      assertEquals("[" + ".".repeat(24) + "]   0 %  round 1 of 2: first", progress.line(SECOND));
      progress.begin(1, "second", 5);
      String half = "[" + "#".repeat(12) + ".".repeat(12) + "]  50 %  round 2 of 2: second, about";
      assertTrue(progress.line(SECOND).startsWith(half), progress.line(SECOND));
    }
  }

  /** What is to come takes as long for each as what is done. */
  @Test
  void timeLeftFollowsFromTimeTaken() {
    try (Progress progress = progress(0, 1000, false)) {
      progress.begin("one", 1);
      nanos += SECOND / 20;
      progress.begin("others", 1);
      assertTrue(progress.line(SECOND / 20).endsWith(", about 50 s left"));
      assertTrue(progress.line(21 * SECOND / 20).endsWith(", about 49 s left"));
      assertTrue(progress.line(TimeUnit.HOURS.toNanos(20)).endsWith(", about 0 s left"));
    }
    try (Progress progress = progress(0, 1000, false)) {
      progress.begin("one", 1);
      nanos += SECOND;
      progress.begin("others", 1);
      assertTrue(progress.line(SECOND).endsWith(", about 17 min left"));
    }
  }

  @Test
  void lineIsNotLongerThanATerminal() {
    try (Progress progress = progress(1, 2, false)) {
      progress.begin(0, "x".repeat(200), 1);
      progress.begin(0, "y".repeat(200), 1);
      String line = progress.line(SECOND);
      assertEquals(79, line.length());
      assertTrue(line.contains("y…, about "), line);
    }
  }

  @Test
  void terminalHasABarUntilItIsClosed() throws Exception {
    try (Progress progress = progress(1, 2, true)) {
      progress.begin(0, "drawn", 1);
      assertTrue(progress.isDrawn());
      assertTrue(barIsThere.await(60, TimeUnit.SECONDS));
      assertTrue(drawn().contains("round 1 of 1: drawn"), drawn());
    }
    assertTrue(drawn().endsWith("\r\u001B[K"), "it is gone");
    assertFalse(drawn().contains("\n"), "it leaves no line behind");
  }

  @Test
  void nothingIsPrintedElsewhere() {
    try (Progress progress = progress(1, 2, false)) {
      progress.begin(0, "silent", 1);
      assertFalse(progress.isDrawn());
    }
    assertEquals("", drawn());
  }
}
