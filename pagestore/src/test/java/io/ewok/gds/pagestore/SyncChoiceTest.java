package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SyncChoiceTest {
  /** Writes as often as it takes to decide, on a device that takes this long each way. */
  private static SyncMethod chosen(long dsyncNanos, long fdatasyncNanos, long outlierNanos) {
    SyncChoice choice = new SyncChoice(SyncMethod.AUTO);
    int dsyncs = 0;
    for (int i = 0; i < 2 * SyncChoice.TRIALS; i++) {
      SyncMethod method = choice.next();
      boolean dsync = method == SyncMethod.DSYNC;
      dsyncs += dsync ? 1 : 0;
      choice.took(method, i < 4 ? outlierNanos : dsync ? dsyncNanos : fdatasyncNanos);
    }
    assertEquals(SyncChoice.TRIALS, dsyncs, "both are tried as often");
    return choice.next();
  }

  @Test
  void fasterMethodIsChosen() {
    assertEquals(SyncMethod.DSYNC, chosen(11, 30, 11));
    assertEquals(SyncMethod.DSYNC, chosen(118, 100, 11), "a little slower is not slower");
    assertEquals(SyncMethod.FDATASYNC, chosen(130, 100, 100));
  }

  @Test
  void fewSlowWritesDecideNothing() {
    assertEquals(SyncMethod.DSYNC, chosen(11, 30, 1_000_000));
    assertEquals(SyncMethod.FDATASYNC, chosen(30, 11, 1_000_000));
  }

  @Test
  void decisionStaysAndForcedMethodIsNotTried() {
    SyncChoice forced = new SyncChoice(SyncMethod.FDATASYNC);
    for (int i = 0; i < 100; i++) {
      assertEquals(SyncMethod.FDATASYNC, forced.next());
      forced.took(SyncMethod.FDATASYNC, 1_000_000);
    }
    SyncChoice refused = new SyncChoice(SyncMethod.AUTO);
    refused.dsyncRefused();
    assertEquals(SyncMethod.FDATASYNC, refused.next());
  }
}
