package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ThrottleOptionsTest {
  @Test
  void whatLimitsNothingEqualsUnlimited() {
    ThrottleOptions options =
        ThrottleOptions.UNLIMITED
            .withRead(IoRate.parse("1"))
            .with(WorkClass.BACKUP, ClassLimits.NONE.withShare(1))
            .withRead(IoRate.UNLIMITED)
            .with(WorkClass.BACKUP, ClassLimits.NONE);
    assertEquals(ThrottleOptions.UNLIMITED, options);
    assertEquals(ClassLimits.NONE, options.of(WorkClass.BACKUP));
  }

  @Test
  void limitsOfOneClassLeaveTheOthers() {
    ClassLimits slow = ClassLimits.NONE.withWrite(IoRate.parse("5")).withDepth(2);
    ThrottleOptions options =
        new ThrottleOptions(IoRate.UNLIMITED, IoRate.parse("7"), Map.of(WorkClass.CLEANER, slow))
            .with(WorkClass.LOG, ClassLimits.NONE.withRead(IoRate.parse("/9")));
    assertEquals(slow, options.of(WorkClass.CLEANER));
    assertEquals(IoRate.ofBytes(9), options.of(WorkClass.LOG).read());
    assertEquals(ClassLimits.NONE, options.of(WorkClass.FOREGROUND));
    assertEquals(IoRate.ofOperations(7), options.write());
  }

  @Test
  void outlyingLimitsAreRefused() {
    for (int share : new int[] {0, -1, ClassLimits.SHARE_MAX + 1}) {
      assertThrows(IllegalArgumentException.class, () -> ClassLimits.NONE.withShare(share));
    }
    assertThrows(IllegalArgumentException.class, () -> ClassLimits.NONE.withDepth(0));
  }
}
