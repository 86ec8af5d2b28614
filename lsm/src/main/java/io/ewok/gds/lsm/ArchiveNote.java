package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a store knows of its archive: the file {@code ARCHIVE} in its directory. It is written
 * before a file of the archive gets its name; so after a crash the archive ends where the note says
 * that it did, or where it says that it was about to. A copy of the store has none, and goes on
 * with a history of its own. Integers are little-endian.
 *
 * <table>
 * <caption>Payload of the file; magic, version and checksum are {@link AtomicFile}'s</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>history</td><td>u64</td><td>see {@link ArchivedLog}; 0 if
 * another one is to begin</td></tr>
 * <tr><td>8</td><td>start</td><td>u64</td><td>position behind which its records begin</td></tr>
 * <tr><td>16</td><td>archived</td><td>u64</td><td>up to here they are in the archive</td></tr>
 * <tr><td>24</td><td>next</td><td>u64</td><td>up to here in the next file, which may be there, or the
 * same as archived</td></tr>
 * <tr><td>32</td><td>checksum</td><td>u64</td><td>of that file</td></tr>
 * <tr><td>40</td><td>directory</td><td></td><td>of the archive, an absolute path in UTF-8</td></tr>
 * </table>
 */
record ArchiveNote(
    long history, long startLsn, long archivedLsn, long nextLsn, long checksum, Path directory) {
  /** "GDSN" in ASCII. */
  static final int MAGIC = 0x4E53_4447;

  static final int VERSION = 1;

  private static final int NUMBERS_BYTES = 5 * Long.BYTES;

  /** One of an archive that has everything up to a position. */
  static ArchiveNote at(long history, long startLsn, long archivedLsn, Path directory) {
    return new ArchiveNote(history, startLsn, archivedLsn, archivedLsn, 0, directory);
  }

  /** One that has the archive begin anew in the same directory. */
  static ArchiveNote anew(Path directory) {
    return at(0, 0, 0, directory);
  }

  /** This one before a file gets its name. */
  ArchiveNote before(ArchivedLog next) {
    return new ArchiveNote(
        history, startLsn, next.fromLsn(), next.toLsn(), next.checksum(), directory);
  }

  void write(IoEngine engine, Path path) throws IOException {
    AtomicFile.write(engine, path, MAGIC, VERSION, encode());
  }

  static Optional<ArchiveNote> read(IoEngine engine, Path path) throws IOException {
    return engine.exists(path)
        ? Optional.of(decode(path, AtomicFile.read(engine, path, MAGIC, VERSION)))
        : Optional.empty();
  }

  byte[] encode() {
    byte[] name = directory.toString().getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(NUMBERS_BYTES + name.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(history)
        .putLong(startLsn)
        .putLong(archivedLsn)
        .putLong(nextLsn)
        .putLong(checksum)
        .put(name)
        .array();
  }

  static ArchiveNote decode(Path path, byte[] payload) throws CorruptFileException {
    try {
      ByteBuffer from = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
      long history = from.getLong();
      long start = from.getLong();
      long archived = from.getLong();
      long next = from.getLong();
      long checksum = from.getLong();
      byte[] name = new byte[from.remaining()];
      from.get(name);
      Path directory = Path.of(new String(name, StandardCharsets.UTF_8));
      boolean isSound =
          history >= 0
              && start >= 0
              && archived >= start
              && next >= archived
              && directory.isAbsolute();
      if (!isSound) {
        throw new CorruptFileException(path, 0, "numbers in order", "others");
      }
      return new ArchiveNote(history, start, archived, next, checksum, directory);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new CorruptFileException(path, 0, "the note of an archive", e.toString());
    }
  }
}
