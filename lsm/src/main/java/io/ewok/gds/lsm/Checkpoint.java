package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** See {@link Store#checkpoint}. */
final class Checkpoint {
  private Checkpoint() {}

  /**
   * Makes a copy of an open store.
   *
   * @param bytesRead told of files that are copied, not linked, part by part
   * @return the sequence number that the copy ends with
   */
  static long run(StoreParts parts, StoreWriter writer, Path directory, LongConsumer bytesRead)
      throws IOException {
    Path target = directory.toAbsolutePath().normalize();
    if (target.startsWith(parts.files.directory().normalize())) {
      throw new IllegalArgumentException(
          "a copy of a store is not inside of it: directory=" + directory);
    }
    StoreWriter.requireMayWait();
    writer.enter();
    try (StoreCopy copy = StoreCopy.begin(parts.engine, target);
        PinnedTables tables = PinnedTables.flushed(parts, writer);
        FileCopier copier = new FileCopier(parts.engine, bytesRead)) {
      for (FileMeta file : tables.manifest().files()) {
        writer.requireOpen();
        Path from = parts.files.path(file);
        Path to = copy.path(file);
        if (!parts.engine.link(from, to)) {
          long unused = copier.copy(from, to, file.sizeBytes());
        }
      }
      copy.complete(tables.manifest(), parts.log.options());
      return tables.manifest().horizonLsn();
    } finally {
      writer.exit();
    }
  }
}
