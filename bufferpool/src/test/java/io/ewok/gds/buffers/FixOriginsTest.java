package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Exceptions about what is never unfixed tell where it was fixed, if one wants to know. */
final class FixOriginsTest {
  private final SimEngine engine = new SimEngine(1);
  private final Fix leaked = new Fix();
  private final Fix fix = new Fix();

  private BufferManager manager(boolean origins) {
    return new BufferManager(
        engine,
        BufferFixture.budget(),
        new BufferOptions(8 * 4096, 4096, null)
            .withWaitMax(Duration.ofMillis(1))
            .withFixOrigins(origins));
  }

  private static CachedPageFile create(BufferManager manager) throws IOException {
    CachedPageFile file =
        manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.CREATE_NEW);
    try (Fix fix = new Fix()) {
      for (int i = 0; i < 10; i++) {
        file.create(fix);
        fix.unfix();
      }
    }
    return file;
  }

  private void leak(CachedPageFile file, long page) throws IOException {
    file.fixExclusive(page, leaked);
  }

  private static void assertTells(Throwable failure) {
    assertEquals(1, failure.getSuppressed().length, failure::toString);
    Throwable origin = failure.getSuppressed()[0];
    assertTrue(origin.getMessage().endsWith("path=/pages number=3"), origin.getMessage());
    boolean here = false;
    for (StackTraceElement element : origin.getStackTrace()) {
      here |= element.getMethodName().equals("leak");
    }
    assertTrue(here, "the place is in the stack trace");
  }

  @Test
  void allWhoComplainTellWhere() throws IOException {
    try (BufferManager manager = manager(true);
        CachedPageFile file = create(manager)) {
      leak(file, 3);
      file.fixOptimistic(4, fix); // holds nothing
      assertTells(assertThrows(IllegalStateException.class, file::close));
      assertTells(assertThrows(IllegalStateException.class, manager::close));
      fix.unfix();
      assertTells(assertThrows(LatchTimeoutException.class, () -> file.fixShared(3, fix)));
      Fix[] all = new Fix[7];
      for (int i = 0; i < all.length; i++) {
        all[i] = new Fix();
        file.fixShared(4 + i, all[i]);
      }
      PoolExhaustedException e =
          assertThrows(PoolExhaustedException.class, () -> file.fixShared(1, fix));
      assertEquals(8, e.getSuppressed().length);
      for (Fix one : all) {
        one.close();
      }
      leaked.unfix();
    }
  }

  @Test
  void nobodyIsToldWithoutAsking() throws IOException {
    try (BufferManager manager = manager(false);
        CachedPageFile file = create(manager)) {
      leak(file, 3);
      assertEquals(
          0, assertThrows(IllegalStateException.class, file::close).getSuppressed().length);
      leaked.unfix();
    }
  }
}
