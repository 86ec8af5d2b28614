package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Path;

/** Checks a footer before it is believed. */
final class TableFooter {
  private TableFooter() {}

  /** Checks what the footer of a file says of that itself. */
  static void check(Path path, long offset, long footer) throws IOException {
    int type = TableFormat.type(footer);
    if (type != TableFormat.TYPE_FOOTER) {
      throw new CorruptFileException(path, offset, "a footer", "block type " + type);
    }
    requireLong(path, offset, footer, TableFormat.MAGIC_OFFSET, TableFormat.MAGIC);
    int version = Memory.getInt(footer + TableFormat.VERSION_OFFSET);
    if (version < TableFormat.VERSION || version > TableFormat.VERSION_MAX) {
      throw new UnsupportedFormatException(path, version, TableFormat.VERSION_MAX);
    }
    int tagBytes = Memory.getInt(footer + TableFormat.TAG_LENGTH_OFFSET);
    int expectedTagBytes = TableFormat.isSealed(version) ? TableFormat.TAG_BYTES : 0;
    require(
        tagBytes == expectedTagBytes,
        path,
        offset,
        "tags of " + expectedTagBytes + " bytes",
        tagBytes + " bytes each");
    int family = Memory.getInt(footer + TableFormat.FAMILY_OFFSET);
    require(family >= 0, path, offset + TableFormat.FAMILY_OFFSET, "a family", family);
    int compression = Memory.getByte(footer + TableFormat.ASKED_COMPRESSION_OFFSET);
    require(
        BlockCodec.compression(compression) != null, path, offset, "a compression", compression);
    require(
        BlockCheck.isHandle(footer + TableFormat.ROOT_OFFSET, offset)
            && BlockCheck.isHandle(footer + TableFormat.BOUNDS_OFFSET, offset),
        path,
        offset,
        "an index before the footer",
        "another place");
  }

  /** The same, and against what the manifest says of the table. */
  static void check(Path path, long offset, long footer, TableMeta meta) throws IOException {
    check(path, offset, footer);
    requireLong(path, offset, footer, TableFormat.NUMBER_OFFSET, meta.fileNumber());
    requireLong(path, offset, footer, TableFormat.ENTRIES_OFFSET, meta.entries());
    int family = Memory.getInt(footer + TableFormat.FAMILY_OFFSET);
    require(
        family == meta.fileFamily(),
        path,
        offset + TableFormat.FAMILY_OFFSET,
        "family " + meta.fileFamily(),
        "family " + family);
  }

  private static void requireLong(
      Path path, long footerOffset, long footer, int fieldOffset, long expected)
      throws CorruptFileException {
    long actual = Memory.getLong(footer + fieldOffset);
    require(actual == expected, path, footerOffset + fieldOffset, expected, actual);
  }

  private static void require(boolean sound, Path path, long offset, Object expected, Object actual)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, offset, expected, actual);
    }
  }
}
