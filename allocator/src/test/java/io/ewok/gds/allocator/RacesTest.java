package io.ewok.gds.allocator;

import io.ewok.gds.testing.Jcstress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * Runs the jcstress tests, the classes named {@code …Races}.
 *
 * <p>With {@code -Dgds.test.soak=<minutes>} every test runs for longer, and in all combinations of
 * compilers for its two threads.
 */
@WithoutLetters
class RacesTest {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private static final int SHORT_MILLIS = 100;

  /** In a soak, two threads are compiled each by none, C1 or C2. */
  private static final int COMPILER_COMBINATIONS = 9;

  /** In a soak, C2 shuffles whatever it may. */
  private static final String SHUFFLED =
      "-Xmx128m -XX:+UnlockDiagnosticVMOptions"
          + " -XX:+StressLCM -XX:+StressGCM -XX:+StressIGVN -XX:+StressCCP";

  /** What starting a JVM takes, about. */
  private static final int START_MILLIS = 600;

  @Test
  @EnabledIf(
      value = "io.ewok.gds.testing.Jcstress#hasTwoCpus",
      disabledReason = "jcstress runs threads side by side")
  void forbiddenOutcomesAreSeenInTheBrokenSpecimenOnly() throws Exception {
    races().assertForbiddenOnlyIn(LostUpdateSpecimen.class);
  }

  private static Jcstress races() throws IOException {
    if (!Soak.isRequested()) {
      return new Jcstress(LIMIT, SHORT_MILLIS);
    }
    long runs = tests() * COMPILER_COMBINATIONS;
    long millis = Math.max(SHORT_MILLIS, Soak.duration().toMillis() / runs - START_MILLIS);
    return new Jcstress(LIMIT.plus(Soak.duration().multipliedBy(3)), millis, true, SHUFFLED);
  }

  /**
   * Returns how many jcstress tests there are: the list that its processor wrote has one a line.
   */
  private static long tests() throws IOException {
    try (InputStream list = RacesTest.class.getResourceAsStream("/META-INF/TestList")) {
      return new String(list.readAllBytes(), StandardCharsets.UTF_8).lines().count();
    }
  }
}
