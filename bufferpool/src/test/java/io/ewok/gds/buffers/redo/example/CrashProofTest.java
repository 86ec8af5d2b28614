package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.pagestore.sim.SimOptions;
import org.junit.jupiter.api.Test;

/**
 * Nothing acknowledged is lost and nothing half done is visible, wherever the power is cut. 2,000
 * cuts, or 100,000 with {@code -Dgds.test.soak=<minutes>}.
 */
final class CrashProofTest {
  private static final boolean SOAK = Integer.getInteger("gds.test.soak", 0) > 0;
  private static final long CRASHES = SOAK ? 100_000 : 2_000;

  /** Pages of one sector are not torn. */
  @Test
  void pagesOfOneSectorSurvive() {
    TreeStore.Options options = TreeStore.Options.small(PageSize.BYTES_512, PageSize.BYTES_512);
    CrashProof proof = new CrashProof(options, SimOptions.defaults());
    long seed = 0;
    while (proof.crashes() < CRASHES) {
      proof.run(seed++);
    }
  }
}
