package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A program that is killed: writes to a store and makes backups of it for ever, of which it keeps
 * the newest three, and prints the number of each one that is there.
 *
 * <p>What a backup has follows from its number: so many keys with that as their value.
 */
final class BackupLoop {
  static final int KEYS = 400;
  private static final int KEPT = 3;

  private BackupLoop() {}

  static byte[] key(int number) {
    return Fixtures.bytes("key%05d".formatted(number));
  }

  /** What each key has in the backup of a number. */
  static byte[] value(long backup) {
    return Fixtures.bytes("%-300d".formatted(backup));
  }

  /** Backs a store up to a folder: store, folder. */
  public static void main(String[] arguments) throws IOException {
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        Store store = Store.open(Path.of(arguments[0]), Fixtures.TINY, engine);
        Backups backups = Backups.open(Path.of(arguments[1]), engine)) {
      List<BackupInfo> before = backups.list();
      long next = before.isEmpty() ? 1 : before.getLast().number() + 1;
      while (true) {
        for (int i = 0; i < KEYS; i++) {
          store.put(key(i), value(next), Durability.NONE);
        }
        next = backups.create(store, _ -> {}).number();
        System.out.println(next);
        System.out.flush();
        for (BackupInfo old : backups.list()) {
          if (old.number() <= next - KEPT) {
            backups.delete(old.number());
          }
        }
        next++;
      }
    }
  }
}
