package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Traces with what is to be seen in them after each page. */
class StreamDetectorTest {
  /** Pairs of a page and the stride after it. */
  private static void assertTrace(long... pagesAndStrides) {
    StreamDetector detector = new StreamDetector();
    for (int i = 0; i < pagesAndStrides.length; i += 2) {
      detector.accept(pagesAndStrides[i]);
      assertEquals(
          pagesAndStrides[i + 1], detector.stride(), "at=" + i / 2 + " page=" + pagesAndStrides[i]);
    }
  }

  @Test
  void neighboursAreAStreamFromTheThirdOn() {
    assertTrace(5, 0, 6, 0, 7, 1, 8, 1);
  }

  @Test
  void backwardsIsAStream() {
    assertTrace(9, 0, 8, 0, 7, -1, 6, -1);
  }

  @Test
  void equalStepsAreAStreamUpToTheLongest() {
    assertTrace(0, 0, 3, 0, 6, 3, 9, 3);
    assertTrace(0, 0, 64, 0, 128, 64);
    assertTrace(0, 0, 65, 0, 130, 0);
    assertTrace(200, 0, 136, 0, 72, -64);
  }

  @Test
  void oneStepThatDoesNotFitEndsTheStream() {
    assertTrace(1, 0, 2, 0, 3, 1, 9, 0, 10, 0, 11, 1);
  }

  @Test
  void samePageAgainSaysNothing() {
    assertTrace(1, 0, 1, 0, 2, 0, 2, 0, 3, 1, 3, 1, 4, 1);
  }

  @Test
  void scatteredPagesAreNone() {
    assertTrace(7, 0, 1, 0, 9, 0, 3, 0, 4, 0, 100, 0, 2, 0);
  }

  @Test
  void extremePagesAreNoStream() {
    assertTrace(0, 0, Long.MAX_VALUE, 0, 0, 0, Long.MAX_VALUE, 0);
  }
}
