package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Finds the key of a table that is encrypted, and whether its footer is the one it had. */
final class TableKey {
  private TableKey() {}

  /**
   * Reads the key of a table.
   *
   * @param footer address of the footer, which was checked
   * @return null if the table is not encrypted
   * @throws io.ewok.gds.pagestore.UnknownKeyException if the key is not among those given
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one
   * @throws io.ewok.gds.pagestore.PlainFileException if it is not encrypted, and should be
   * @throws CorruptFileException if somebody has changed the footer
   */
  static FileKey readOrNull(KeySource keys, LoadedBlockFile file, long footer, long sizeBytes)
      throws IOException {
    if (!TableFormat.isSealed(Memory.getInt(footer + TableFormat.VERSION_OFFSET))) {
      FileKey.acceptPlain(keys, file.path());
      return null;
    }
    Path path = file.path();
    long offset = TableFormat.footerOffset(sizeBytes) + TableFormat.KEY_BLOCK_OFFSET;
    try (Fix fix = new Fix()) {
      file.fix(offset, TableFormat.KEY_STORED_BYTES, TableFormat.KEY_BYTES, fix);
      long block = fix.address();
      if (TableFormat.type(block) != TableFormat.TYPE_KEY) {
        throw new CorruptFileException(path, offset, "the key of the table", "another block");
      }
      long number = Memory.getLong(footer + TableFormat.NUMBER_OFFSET);
      FileKey key =
          FileKey.read(
              keys,
              Memory.view(block + TableFormat.KEY_NOTE_OFFSET, FileKey.NOTE_BYTES).asByteBuffer(),
              TableFormat.keyPurpose(number),
              path,
              offset);
      requireAuthentic(key, path, offset, block, footer);
      return key;
    }
  }

  private static void requireAuthentic(FileKey key, Path path, long offset, long block, long footer)
      throws CorruptFileException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment opened = arena.allocate(TableFormat.FOOTER_BYTES);
      boolean isAuthentic =
          key.open(
                  offset,
                  0,
                  block + TableFormat.KEY_FOOTER_OFFSET,
                  TableFormat.FOOTER_BYTES,
                  opened.address(),
                  block + TableFormat.KEY_TAG_OFFSET)
              && opened.mismatch(Memory.view(footer, TableFormat.FOOTER_BYTES)) < 0;
      if (!isAuthentic) {
        throw new CorruptFileException(
            path, offset, "an authentic footer", "one that was tampered with");
      }
    }
  }
}
