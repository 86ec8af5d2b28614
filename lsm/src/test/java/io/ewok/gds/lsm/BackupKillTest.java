package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.testing.JavaProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a process that backs a store up, again and again, at any moment, on the real file system. A
 * few times, or with {@code -Dgds.test.soak=MINUTES} for so long.
 */
class BackupKillTest {
  private static final int KILLS = 3;
  private static final int BACKUPS_MAX = 8;

  @TempDir Path folder;

  @Test
  void backupsThatWereMadeAreWholeWhenTheProcessIsKilled() throws Exception {
    Path directory = folder.resolve("store");
    Path target = folder.resolve("backups");
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(Integer.getInteger("gds.test.soak", 0));
    SplittableRandom random = new SplittableRandom(1);
    long last = 0;
    for (int kill = 0; kill < KILLS || end - System.nanoTime() > 0; kill++) {
      long made =
          JavaProgram.runAndKill(
              folder,
              1 + random.nextInt(BACKUPS_MAX),
              BackupLoop.class,
              List.of(directory.toString(), target.toString()));
      assertTrue(made > last, "kill=%d made=%d last=%d".formatted(kill, made, last));
      last = check(target, made, folder.resolve("restored" + kill));
    }
  }

  /** Returns the number of the newest backup, which may be one that nobody was told of. */
  private static long check(Path target, long made, Path restored) throws Exception {
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        Backups backups = Backups.open(target, engine)) {
      assertEquals(List.of(), backups.verify(_ -> {}).problems());
      long newest = backups.list().getLast().number();
      assertTrue(newest >= made, "newest=%d made=%d".formatted(newest, made));
      backups.restore(newest, restored, _ -> {});
      try (Store store = Store.open(restored, Fixtures.TINY.withCreateIfMissing(false), engine)) {
        for (int i = 0; i < BackupLoop.KEYS; i++) {
          assertArrayEquals(BackupLoop.value(newest), store.get(BackupLoop.key(i)));
        }
        assertEquals(BackupLoop.KEYS, Fixtures.contents(store).size());
      }
      return newest;
    }
  }
}
