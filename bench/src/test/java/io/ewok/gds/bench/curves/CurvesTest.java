package io.ewok.gds.bench.curves;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CurvesTest {
  private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long SLICE = 1 << 24;

  @Test
  void ratesAreOfSlicesThatHaveEnded() {
    CurveRecorder recorder = new CurveRecorder();
    recorder.begin(1000);
    for (int i = 0; i < 30; i++) {
      recorder.ended(1000, 1000 + SLICE * i / 10);
    }
    Curves curves = recorder.curves();
    double slice = curves.sliceSeconds();
    assertEquals(SLICE / 1e9, slice);
    assertEquals(List.of(10 / slice, 10 / slice), curves.perSecond(), "the third is not over");
  }

  @Test
  void slicesBecomeLongerAndNothingIsLost() {
    Timeline timeline = new Timeline();
    Timeline shorter = new Timeline();
    long total = 10_000;
    for (int i = 0; i < total; i++) {
      timeline.count(i * MILLI, 2);
    }
    shorter.count(MILLI, 5);
    shorter.count(9_999 * MILLI / 2, 5);
    timeline.count(1L << 40, 1); // so that all but this are in slices that have ended
    timeline.add(shorter);
    double slice = timeline.sliceSeconds();
    assertTrue(timeline.perSecond().size() < Timeline.SLICES_MAX);
    double sum = timeline.perSecond().stream().mapToDouble(rate -> rate * slice).sum();
    assertEquals(2.0 * total + 10, sum, 1e-6);
  }

  @Test
  void whatSomebodyElseCountsIsCountedOnce() {
    CurveRecorder recorder = new CurveRecorder();
    recorder.begin(0);
    recorder.reached(SLICE / 2, 7);
    recorder.reached(SLICE + 1, 10);
    recorder.reached(3 * SLICE, 10);
    double slice = recorder.curves().sliceSeconds();
    assertEquals(List.of(7 / slice, 3 / slice, 0.0), recorder.curves().perSecond());
  }

  @Test
  void percentilesAreThoseOfAllWhoWorked() {
    CurveRecorder fast = new CurveRecorder();
    CurveRecorder slow = new CurveRecorder();
    for (int i = 0; i < 999; i++) {
      fast.ended(0, 1000);
    }
    slow.ended(0, 50_000);
    fast.add(slow);
    List<Double> micros = fast.curves().latencyMicros();
    assertEquals(Curves.PERCENTILES.size(), micros.size());
    assertEquals(1.0, micros.get(Curves.PERCENTILES.indexOf(50.0)), 0.01);
    assertEquals(1.0, micros.get(Curves.PERCENTILES.indexOf(99.9)), 0.01);
    double beyond = micros.get(Curves.PERCENTILES.indexOf(99.95));
    assertTrue(Double.isNaN(beyond), "of a thousand nobody knows: " + beyond);
    fast.add(slow);
    assertEquals(50.0, fast.curves().latencyMicros().get(Curves.PERCENTILES.indexOf(99.9)), 0.5);
  }

  @Test
  void wordComesBackAsItWas() {
    Curves curves = new Curves(List.of(1.5, Double.NaN), 0.5, List.of(3.25, 0.0));
    assertEquals(curves, Curves.parse(curves.toWord()));
    assertEquals(Curves.none(), Curves.parse(Curves.none().toWord()));
    assertTrue(curves.toWord().indexOf(' ') < 0);
    assertThrows(IllegalArgumentException.class, () -> Curves.parse("1.0;2.0"));
    assertThrows(IllegalArgumentException.class, () -> Curves.parse("1.0;2.0;x"));
  }

  @Test
  void medianOfRunsHasTheRatesOfOneOfThem() {
    List<Curves> runs =
        List.of(
            new Curves(List.of(9.0, Double.NaN), 1, List.of(30.0)),
            new Curves(List.of(1.0, Double.NaN), 1, List.of(10.0)),
            new Curves(List.of(4.0, 5.0), 1, List.of(20.0)));
    Curves median = Curves.median(runs, run -> run.perSecond().getFirst(), run -> run);
    assertEquals(new Curves(List.of(4.0, 5.0), 1, List.of(20.0)), median);
    assertEquals(
        runs.getFirst(),
        Curves.median(Collections.nCopies(3, runs.getFirst()), run -> 1, run -> run));
  }
}
