package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.wal.LogOptions;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is known of one backup: the file {@code backup-} and its number, which is written when all
 * that it names is durable. Integers are little-endian.
 *
 * <table>
 * <caption>Payload of the file; magic, version and checksum are {@link AtomicFile}'s</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>time</td><td>u64</td><td>when it was begun, milliseconds since the epoch</td></tr>
 * <tr><td>8</td><td>new bytes</td><td>u64</td><td>of tables that no older backup had</td></tr>
 * <tr><td>16</td><td>segment bytes</td><td>u64</td><td>size of a segment of the store's log</td></tr>
 * <tr><td>24</td><td>segments</td><td>u32</td><td>how many it had</td></tr>
 * <tr><td>28</td><td>files n</td><td>u32</td><td>as many tables and value files as the manifest
 * names</td></tr>
 * <tr><td>32</td><td>manifest bytes</td><td>u32</td><td></td></tr>
 * <tr><td>36</td><td>zero</td><td>u32</td><td></td></tr>
 * <tr><td>40</td><td>history</td><td>u64</td><td>of the archive of the store's log, see {@link
 * ArchivedLog}; in version 2, which a backup has if there was one, as the next</td></tr>
 * <tr><td>48</td><td>marks</td><td>u64</td><td>up to here in the log the manifest has what there are
 * marks of ({@link LogMark}), though its horizon may lie before that</td></tr>
 * <tr><td>40 or 56</td><td>manifest</td><td></td><td>a frame of {@link ManifestFormat} with the sum of
 * all edits, padded; the log of a store that is restored begins behind its horizon</td></tr>
 * <tr><td></td><td>files</td><td>n, each</td><td>number (u64) and checksum of the whole file (u64,
 * see {@link FileChecksum}): both name the file, since stores that were one once may give the same
 * number to different tables; ordered by number</td></tr>
 * <tr><td></td><td>padding</td><td></td><td>zeros, so that the file ends where they do: no byte of
 * it is without a checksum</td></tr>
 * </table>
 */
final class BackupFormat {
  /** "GDSB" in ASCII. */
  static final int MAGIC = 0x4253_4447;

  static final int VERSION = 1;

  /** Of the backup of a store whose log is archived. */
  static final int VERSION_ARCHIVED = 2;

  static final int HEADER_BYTES = 3 * Long.BYTES + 4 * Integer.BYTES;
  static final int ARCHIVED_BYTES = 2 * Long.BYTES;
  static final int TABLE_BYTES = 2 * Long.BYTES;

  private static final int FILE_ALIGNMENT_BYTES = 4096;

  /** What {@link AtomicFile} puts before the payload. */
  private static final int ENVELOPE_BYTES = 16;

  /**
   * What a backup consists of.
   *
   * @param millis when it was begun, since the epoch
   * @param newBytes of files that no older backup had
   * @param log sizes of the log
   * @param manifest without a log
   * @param checksums of the files that the manifest names, by number
   * @param archived how the manifest lies to the archive of the log
   */
  record Content(
      long millis,
      long newBytes,
      LogOptions log,
      Manifest manifest,
      SortedMap<Long, Long> checksums,
      PinnedTables.Archived archived) {
    int version() {
      return archived.history() == 0 ? VERSION : VERSION_ARCHIVED;
    }

    /** What was written up to here is in the tables. */
    long horizonLsn() {
      return manifest.horizonLsn();
    }

    /** From here on it can be gone on with, with an archive. */
    long firstLsn() {
      return Math.max(horizonLsn(), archived.marksLsn());
    }
  }

  private BackupFormat() {}

  static void write(IoEngine engine, Path path, Content content) throws IOException {
    AtomicFile.write(engine, path, MAGIC, content.version(), encode(content, engine.keys(), path));
  }

  static Content read(IoEngine engine, Path path) throws IOException {
    AtomicFile.Versioned read = AtomicFile.readVersioned(engine, path, MAGIC, VERSION_ARCHIVED);
    return decode(path, read.version(), read.payload(), engine.keys());
  }

  static byte[] encode(Content content, KeySource keys, Path path) throws IOException {
    byte[] manifest = ManifestFormat.encode(content.manifest().snapshot(), 0, keys, path);
    boolean isArchived = content.version() == VERSION_ARCHIVED;
    int headerBytes = HEADER_BYTES + (isArchived ? ARCHIVED_BYTES : 0);
    long bytes = headerBytes + manifest.length + (long) content.checksums().size() * TABLE_BYTES;
    long fileBytes = (ENVELOPE_BYTES + bytes + FILE_ALIGNMENT_BYTES - 1) & -FILE_ALIGNMENT_BYTES;
    ByteBuffer to =
        ByteBuffer.allocate(Math.toIntExact(fileBytes - ENVELOPE_BYTES))
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(content.millis())
            .putLong(content.newBytes())
            .putLong(content.log().segmentBytes())
            .putInt(content.log().segmentCount())
            .putInt(content.checksums().size())
            .putInt(manifest.length)
            .putInt(0);
    if (isArchived) {
      to.putLong(content.archived().history()).putLong(content.archived().marksLsn());
    }
    to.put(manifest);
    content.checksums().forEach((number, checksum) -> to.putLong(number).putLong(checksum));
    return to.array();
  }

  /**
   * Reads what a payload has.
   *
   * @throws CorruptFileException if that is not what is written here
   */
  static Content decode(Path path, int version, byte[] payload, KeySource keys) throws IOException {
    try {
      ByteBuffer from = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
      long millis = from.getLong();
      long newBytes = from.getLong();
      long segmentBytes = from.getLong();
      int segments = from.getInt();
      int tables = from.getInt();
      int manifestBytes = from.getInt();
      require(newBytes >= 0 && from.getInt() == 0, path, "numbers in range");
      PinnedTables.Archived archived = PinnedTables.Archived.NONE;
      if (version == VERSION_ARCHIVED) {
        archived = new PinnedTables.Archived(from.getLong(), from.getLong());
        require(archived.history() > 0 && archived.marksLsn() >= 0, path, "an archive");
      }
      require(manifestBytes > 0 && manifestBytes <= from.remaining(), path, "a manifest");
      byte[] frame = new byte[manifestBytes];
      from.get(frame);
      require(ManifestFormat.frameBytes(frame, 0) == manifestBytes, path, "a manifest");
      Manifest manifest = Manifest.EMPTY.after(ManifestFormat.decode(path, frame, 0, keys));
      SortedMap<Long, Long> checksums = new TreeMap<>();
      require(tables >= 0 && tables <= from.remaining() / TABLE_BYTES, path, "tables");
      for (int i = 0; i < tables; i++) {
        long number = from.getLong();
        checksums.put(number, from.getLong());
      }
      require(checksums.keySet().equals(manifest.fileNumbers()), path, "the manifest's files");
      LogOptions log =
          new LogOptions(
              segmentBytes,
              segments,
              (int) Math.min(segmentBytes, LogOptions.defaults().bufferBytes()));
      return new Content(millis, newBytes, log, manifest, checksums, archived);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new CorruptFileException(path, 0, "a backup", e.toString());
    }
  }

  private static void require(boolean sound, Path path, String expected)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, 0, expected, "something else");
    }
  }

  /** Bytes of the files of a manifest. */
  static long fileBytes(Manifest manifest) {
    return manifest.files().stream().mapToLong(FileMeta::sizeBytes).sum();
  }
}
