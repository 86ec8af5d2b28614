package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimFault;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Batches of pages, power cuts, repairs, and power cuts in repairs. */
final class PageWriterCrashTest {
  /** A mode, pages and a device. */
  private record Case(TornPages mode, PageSize size, int sectorBytes, boolean encrypted) {
    Case(TornPages mode, PageSize size, int sectorBytes) {
      this(mode, size, sectorBytes, false);
    }
  }

  private static final Case[] CASES = {
    new Case(TornPages.DOUBLE_WRITE, PageSize.BYTES_4096, 512),
    new Case(TornPages.DOUBLE_WRITE, PageSize.BYTES_16384, 4096),
    new Case(TornPages.DOUBLE_WRITE, PageSize.BYTES_512, 4096),
    new Case(TornPages.BACKUP, PageSize.BYTES_4096, 512),
    new Case(TornPages.BACKUP, PageSize.BYTES_8192, 4096),
    new Case(TornPages.BACKUP, PageSize.BYTES_1024, 4096),
    new Case(TornPages.ATOMIC, PageSize.BYTES_4096, 512),
    new Case(TornPages.ATOMIC, PageSize.BYTES_2048, 4096),
    new Case(TornPages.ATOMIC, PageSize.BYTES_65536, 4096),
    new Case(TornPages.DOUBLE_WRITE, PageSize.BYTES_4096, 512, true),
    new Case(TornPages.DOUBLE_WRITE, PageSize.BYTES_512, 4096, true),
    new Case(TornPages.BACKUP, PageSize.BYTES_8192, 512, true),
    new Case(TornPages.BACKUP, PageSize.BYTES_1024, 4096, true),
    new Case(TornPages.ATOMIC, PageSize.BYTES_65536, 4096, true),
  };

  @Test
  void noPageIsTornOrOlderThanItsLastSync() throws IOException {
    int cuts = 0;
    for (Case one : CASES) {
      for (long seed = 0; seed < 5; seed++) {
        cuts += run(one, seed, 0, (engine, _) -> engine);
      }
    }
    assertTrue(cuts > 1000, "cuts=" + cuts);
  }

  @Test
  void neitherIfWritesFailMeanwhile() throws IOException {
    for (Case one : CASES) {
      for (long seed = 100; seed < 105; seed++) {
        run(one, seed, 0.1, (engine, _) -> engine);
      }
    }
  }

  @Test
  void withoutProtectionPagesAreLost() {
    assertSeen(new Case(TornPages.NONE, PageSize.BYTES_4096, 512), (engine, _) -> engine);
    assertSeen(new Case(TornPages.NONE, PageSize.BYTES_512, 4096), (engine, _) -> engine);
    assertSeen(new Case(TornPages.NONE, PageSize.BYTES_4096, 512, true), (engine, _) -> engine);
  }

  @Test
  void aMissingSyncOfTheJournalIsSeen() {
    for (TornPages mode : new TornPages[] {TornPages.DOUBLE_WRITE, TornPages.BACKUP}) {
      assertSeen(
          new Case(mode, PageSize.BYTES_4096, 512),
          (engine, _) ->
              GatedEngine.withoutSyncs(
                  PageJournal.pathOf(PageWriterModel.FILE), engine, () -> false));
    }
  }

  @Test
  void aMissingSyncOfThePagesIsSeen() {
    for (Case one : CASES) {
      assertSeen(
          one, (engine, _) -> GatedEngine.withoutSyncs(PageWriterModel.FILE, engine, () -> false));
    }
  }

  @Test
  void aMissingSyncBeforeCopiesAreOverwrittenIsSeen() {
    for (TornPages mode : new TornPages[] {TornPages.DOUBLE_WRITE, TornPages.BACKUP}) {
      assertSeen(
          new Case(mode, PageSize.BYTES_4096, 512),
          (engine, model) ->
              GatedEngine.withoutSyncs(PageWriterModel.FILE, engine, () -> model.isSyncing()));
    }
  }

  /** How the writer sees the engine. */
  private interface Wrapping {
    IoEngine wrap(IoEngine engine, PageWriterModel model);
  }

  private static void assertSeen(Case one, Wrapping wrapping) {
    assertThrows(
        AssertionError.class,
        () -> {
          for (long seed = 0; seed < 60; seed++) {
            run(one, seed, 0, wrapping);
          }
        },
        one.toString());
  }

  /** Four lives, each ended by a power cut, with others tried at its syncs. */
  private static int run(Case one, long seed, double errors, Wrapping wrapping) throws IOException {
    int[] cuts = {0};
    SplittableRandom random = new SplittableRandom(seed);
    SimOptions options =
        SimOptions.defaults().withAlignmentBytes(one.sectorBytes()).withAtomicBytesMax(1 << 16);
    SimEngine engine = new SimEngine(seed, options);
    try (PageWriterModel model =
        new PageWriterModel(one.mode(), one.size(), one.encrypted(), random)) {
      model.create(engine);
      for (int life = 0; life < 4; life++) {
        SimEngine running = engine;
        SplittableRandom futures = random.split();
        model.open(wrapping.wrap(engine, model));
        engine.setRate(SimFault.WRITE_ERROR, errors);
        engine.setRate(SimFault.TORN_SECTOR, 0.1);
        engine.onSync(
            () -> {
              cuts[0]++;
              checkCut(running, model, futures);
            });
        model.work(15 + random.nextInt(15));
        engine.onSync(() -> {});
        checkCut(engine, model, futures);
        model.closeFiles();
        engine = engine.crash(random.nextLong());
        model.adopt(engine);
      }
    } catch (AssertionError e) {
      throw new AssertionError(one + " seed=" + seed, e);
    }
    return cuts[0];
  }

  /** Cuts the power now, and again in the repair that follows. */
  private static void checkCut(SimEngine engine, PageWriterModel model, SplittableRandom futures) {
    try {
      SimEngine after = engine.crash(futures.nextLong());
      after.setRate(SimFault.TORN_SECTOR, 0.1);
      after.onSync(
          () -> {
            try {
              model.repairAndCheck(after.crash(futures.nextLong()));
            } catch (IOException e) {
              throw new AssertionError("after a power cut in the repair", e);
            }
          });
      model.repairAndCheck(after);
    } catch (IOException e) {
      throw new AssertionError("after a power cut", e);
    }
  }
}
