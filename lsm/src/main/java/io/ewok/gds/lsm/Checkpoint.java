package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** See {@link Store#checkpoint}. */
final class Checkpoint {
  private Checkpoint() {}

  /**
   * Makes a copy of an open store.
   *
   * @param bytesRead told of tables that are copied, not linked, part by part
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
      for (Table table : tables.all()) {
        writer.requireOpen();
        Path to = copy.table(table.meta().number());
        if (!parts.engine.link(table.path(), to)) {
          long unused = copier.copy(table.path(), to, table.meta().sizeBytes());
        }
      }
      copy.complete(tables.manifest(), parts.log.options());
      return tables.manifest().horizonLsn();
    } finally {
      writer.exit();
    }
  }
}
