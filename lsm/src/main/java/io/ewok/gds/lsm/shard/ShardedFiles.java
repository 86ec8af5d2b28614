package io.ewok.gds.lsm.shard;

import java.nio.file.Path;

/**
 * Names in the directory of a sharded store: {@code SHARDS}, {@code LOCK}, the directories {@code
 * shard-0}, {@code shard-1} and so on, and {@code sequence}.
 */
record ShardedFiles(Path directory) {
  private static final String SHARDS = "SHARDS";
  private static final String LOCK = "LOCK";

  Path shards() {
    return directory.resolve(SHARDS);
  }

  Path lock() {
    return directory.resolve(LOCK);
  }

  Path shard(int number) {
    return directory.resolve("shard-" + number);
  }

  Path sequence() {
    return directory.resolve("sequence");
  }

  /** Whether a creation that did not come to its end leaves such a file behind. */
  static boolean isLeftByCreation(Path file) {
    String name = file.getFileName().toString();
    return name.equals(LOCK) || name.equals(SHARDS + ".tmp");
  }
}
