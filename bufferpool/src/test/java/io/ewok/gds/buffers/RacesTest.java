package io.ewok.gds.buffers;

import io.ewok.gds.testing.Jcstress;
import io.ewok.gds.wal.cache.BlindTailSpecimen;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Runs the jcstress tests, the classes named {@code …Races}. */
class RacesTest {
  @Test
  @EnabledIf(
      value = "io.ewok.gds.testing.Jcstress#hasTwoCpus",
      disabledReason = "jcstress runs threads side by side")
  void forbiddenOutcomesAreSeenInTheBrokenSpecimenOnly() throws Exception {
    new Jcstress(Duration.ofMinutes(5), 100)
        .assertForbiddenOnlyIn(BlindLatchSpecimen.class, BlindTailSpecimen.class);
  }
}
