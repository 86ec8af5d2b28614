package io.ewok.gds.buffers.redo.example;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TestKeys;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimOptions;
import org.junit.jupiter.api.Test;

/**
 * Nothing acknowledged is lost and nothing half done is visible, wherever the power is cut. 3,000
 * cuts in all, or 150,000 with {@code -Dgds.test.soak=<minutes>}.
 */
final class CrashProofTest {
  private static final int SOAK = Integer.getInteger("gds.test.soak", 0) > 0 ? 50 : 1;

  private static final SimOptions DEVICE = SimOptions.defaults();
  private static final SimOptions ENCRYPTED = DEVICE.withKeys(new TestKeys(1));

  /** Pages of two and of eight sectors. */
  private static CrashProof proof(TornPages tornPages, SimOptions device) {
    return new CrashProof(
        TreeStore.Options.small(PageSize.BYTES_1024, PageSize.BYTES_4096, tornPages), device);
  }

  private static void run(CrashProof proof, long crashes) {
    for (long seed = 0; proof.crashes() < crashes * SOAK; seed++) {
      proof.run(seed);
    }
  }

  @Test
  void pagesWrittenTwiceSurvive() {
    run(proof(TornPages.DOUBLE_WRITE, DEVICE), 700);
  }

  @Test
  void pagesWithABackupSurvive() {
    run(proof(TornPages.BACKUP, DEVICE), 700);
  }

  @Test
  void pagesWrittenAtOnceSurvive() {
    run(proof(TornPages.ATOMIC, DEVICE.withAtomicBytesMax(PageSize.BYTES_4096.bytes())), 300);
  }

  /** They are not torn. */
  @Test
  void pagesOfOneSectorSurvive() {
    TreeStore.Options options =
        TreeStore.Options.small(PageSize.BYTES_512, PageSize.BYTES_512, TornPages.NONE);
    run(new CrashProof(options, DEVICE), 300);
  }

  @Test
  void encryptedPagesSurviveInAllModes() {
    run(proof(TornPages.DOUBLE_WRITE, ENCRYPTED), 350);
    run(proof(TornPages.BACKUP, ENCRYPTED), 350);
    run(proof(TornPages.ATOMIC, ENCRYPTED.withAtomicBytesMax(PageSize.BYTES_4096.bytes())), 150);
    TreeStore.Options options =
        TreeStore.Options.small(PageSize.BYTES_512, PageSize.BYTES_512, TornPages.NONE);
    run(new CrashProof(options, ENCRYPTED), 150);
  }

  /** So that it is known that the others would be seen to lose pages. */
  @Test
  void pagesOfSeveralSectorsWithoutProtectionDoNot() {
    requireLosses(proof(TornPages.NONE, DEVICE));
    requireLosses(proof(TornPages.NONE, ENCRYPTED));
  }

  private static void requireLosses(CrashProof proof) {
    int lost = 0;
    for (long seed = 0; seed < 10; seed++) {
      try {
        proof.run(seed);
      } catch (AssertionError e) {
        assertTrue(isOfCorruption(e), () -> "seed lost more than a page: " + e);
        lost++;
      }
    }
    assertTrue(lost > 0, "lost=" + lost);
  }

  private static boolean isOfCorruption(Throwable failure) {
    return failure != null
        && (failure instanceof CorruptFileException || isOfCorruption(failure.getCause()));
  }
}
