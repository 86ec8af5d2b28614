package io.ewok.gds.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.StorageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PrintingTest {
  private final CountDownLatch quarterIsDone = new CountDownLatch(1);
  private final ByteArrayOutputStream err =
      new ByteArrayOutputStream() {
        @Override
        public void flush() {
          if (toString(StandardCharsets.UTF_8).contains(" 25 %")) {
            quarterIsDone.countDown();
          }
        }
      };
  private final Streams streams =
      new Streams(InputStream.nullInputStream(), new ByteArrayOutputStream(), err);

  @Test
  void tableAlignsAllColumnsButTheLast() {
    Table table = new Table().row("a", "1", "first").row("long", "22", "").row("€", "333", "x");
    assertEquals("a     1    first\nlong  22\n€     333  x\n", table.toString());
  }

  @Test
  void numbersHaveUnits() {
    assertEquals("1,234,567", Units.count(1_234_567));
    assertEquals("1023 B", Units.bytes(1023));
    assertEquals("1.5 MiB", Units.bytes(3 << 19));
    assertEquals("0.012 s", Units.seconds(12_000_000));
    assertEquals("12.3 s", Units.seconds(12_300_000_000L));
    assertEquals("25.0 %", Units.percent(0.25));
    assertEquals(2000, Units.perSecond(1000, 500_000_000));
  }

  @Test
  void progressShowsShareRateAndTimeLeft() {
    try (Progress progress = Progress.start(streams, "loading", 1000, Units::count)) {
      String line = progress.line(250, TimeUnit.SECONDS.toNanos(5), false);
      assertTrue(line.contains("[######..................]"), line);
      assertTrue(
          line.contains(" 25 %") && line.contains("50/s") && line.contains("0:15 left"), line);
      assertTrue(progress.line(2000, 1, false).contains("100 %"));
      assertFalse(line.contains("\u001B"));
      assertTrue(progress.line(250, 1, true).contains("\u001B"));
    }
    assertEquals("", err.toString(StandardCharsets.UTF_8)); // It was over at once.
  }

  @Test
  void progressIsDrawnOnATerminalAndGoneAfterwards() throws Exception {
    Streams terminal =
        new Streams(InputStream.nullInputStream(), new ByteArrayOutputStream(), err, true, false);
    try (Progress progress = Progress.start(terminal, "merging", 4, Units::count)) {
      progress.countBy(() -> 1);
      progress.add(3); // not what is asked for
      assertTrue(progress.isDrawn());
      assertTrue(quarterIsDone.await(60, TimeUnit.SECONDS), err::toString);
    }
    String drawn = err.toString(StandardCharsets.UTF_8);
    assertTrue(drawn.contains("merging"), drawn);
    assertTrue(drawn.endsWith("\r\u001B[K"), drawn);
    assertFalse(drawn.contains("\n"), drawn);
  }

  @Test
  void progressIsSilentElsewhere() {
    try (Progress progress = Progress.start(streams, "loading", 1000, Units::count)) {
      progress.add(1);
      assertFalse(progress.isDrawn());
    }
    assertEquals("", err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void progressWithoutTotalCounts() {
    try (Progress progress = Progress.start(streams, "loading", 0, Units::count)) {
      assertTrue(progress.line(250, TimeUnit.SECONDS.toNanos(5), false).contains("250   50/s"));
    }
  }

  @Test
  void errorIsAlwaysOneLine() {
    streams.error("first\n  second\r\nthird\n");
    assertEquals("gds: first; second; third\n", err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void bytesAreShownAsTextOrHexAndShortened() {
    assertEquals("\"plain\"", ByteText.show("plain".getBytes(StandardCharsets.UTF_8)));
    assertEquals("0xff00", ByteText.show(new byte[] {-1, 0}));
    assertEquals("0x610a", ByteText.show(new byte[] {'a', '\n'}));
    byte[] longText = new byte[300];
    Arrays.fill(longText, (byte) 'x');
    assertTrue(ByteText.show(longText).endsWith("... (300 bytes)"));
  }

  @Test
  void rangeOfAPrefixEndsBeforeTheNextPrefix() {
    byte[] prefix = {'a', -1};
    KeyRange range = KeyRange.of(null, null, prefix);
    assertArrayEquals(prefix, range.from());
    assertArrayEquals(new byte[] {'b'}, range.to());
    assertEquals(null, KeyRange.of(null, null, new byte[] {-1, -1}).to());
    assertEquals(null, KeyRange.of(null, null, new byte[0]).to());
    assertArrayEquals(new byte[] {'z'}, KeyRange.of(new byte[] {'z'}, null, prefix).from());
    assertArrayEquals(new byte[] {'a'}, KeyRange.of(null, new byte[] {'a'}, prefix).to());
  }

  @Test
  void shuffleDependsOnTheSeedAloneAndLosesNothing() throws IOException {
    String lines = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    InputStream in = new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8));
    DataSet data = DataSet.read(new LineReader(in));
    int[] order = data.shuffled(5);
    assertArrayEquals(order, data.shuffled(5));
    assertNotEquals(Arrays.toString(order), Arrays.toString(data.shuffled(6)));
    assertArrayEquals(
        new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Arrays.stream(order).sorted().toArray());
  }

  @Test
  void storeSizesStayWithinTheMemoryAndUseMostOfIt() {
    for (long memory : new long[] {StoreSizes.minimumBytes(), 10L << 20, 64L << 20, 3L << 30}) {
      long used = StoreSizes.within(memory).memoryBytes();
      assertTrue(used <= memory && used > memory / 5 * 2, "memory=" + memory + " used=" + used);
    }
  }

  @Test
  void logOfTheLayersBelowIsOneLineWithoutATrace() {
    System.Logger logger =
        new ConsoleLogFinder().getLogger("store", PrintingTest.class.getModule());
    PrintStream before = System.err;
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    try {
      logger.log(System.Logger.Level.INFO, "not for the user");
      logger.log(System.Logger.Level.ERROR, "a flush failed", new IOException("disk full"));
      logger.log(System.Logger.Level.WARNING, "lost {0}", 3);
    } finally {
      System.setErr(before);
    }
    assertEquals(
        "gds: a flush failed: disk full\ngds: lost 3\n", err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void failureShowsTheSystemsErrorBelowIt() {
    IOException system = new IOException("cannot write: errno=ENOSPC");
    IOException flush = new IOException("no flush: path=/s", new IOException("x", system));
    assertEquals("no flush: path=/s; because: cannot write: errno=ENOSPC", Failures.message(flush));
    assertEquals("e: errno=EIO", Failures.message(new IOException("e: errno=EIO", system)));
    StorageException denied =
        new StorageException("cannot look", Path.of("/s"), new AccessDeniedException("/s"));
    assertEquals("permission denied: path=/s", Failures.message(denied));
  }
}
