package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.TableFormat;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The manifest as the payload of an {@link AtomicFile}, which adds magic, version and checksum and
 * replaces the whole. All integers are little-endian, without alignment.
 *
 * <table>
 * <caption>Payload</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>created</td><td>u32</td><td>1 once the log was created, before 0</td></tr>
 * <tr><td>4</td><td>table count</td><td>u32</td><td></td></tr>
 * <tr><td>8</td><td>next number</td><td>u64</td><td>number of the next table</td></tr>
 * <tr><td>16</td><td>horizon</td><td>u64</td><td>position in the log up to which the tables have
 * everything</td></tr>
 * <tr><td>24</td><td>last sequence</td><td>u64</td><td>newest sequence number in the tables</td></tr>
 * <tr><td>32</td><td>tables</td><td></td><td>level 0 in the order of search, then level 1 in the
 * order of keys</td></tr>
 * </table>
 *
 * <table>
 * <caption>Table</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>level</td><td>u32</td><td>0 or 1</td></tr>
 * <tr><td>4</td><td>first key length</td><td>u16</td><td>bytes</td></tr>
 * <tr><td>6</td><td>last key length</td><td>u16</td><td>bytes</td></tr>
 * <tr><td>8</td><td>number</td><td>u64</td><td>names the file</td></tr>
 * <tr><td>16</td><td>size</td><td>u64</td><td>bytes</td></tr>
 * <tr><td>24</td><td>entries</td><td>u64</td><td>records</td></tr>
 * <tr><td>32</td><td>deletes</td><td>u64</td><td>those of them that are deletes</td></tr>
 * <tr><td>40</td><td>first sequence</td><td>u64</td><td></td></tr>
 * <tr><td>48</td><td>last sequence</td><td>u64</td><td></td></tr>
 * <tr><td>56</td><td>first key</td><td></td><td>then the last key</td></tr>
 * </table>
 */
final class ManifestFormat {
  /** "GDSM" in ASCII. */
  static final int MAGIC = 0x4D53_4447;

  static final int VERSION = 1;
  static final int HEADER_BYTES = 32;
  static final int TABLE_BYTES = 56;

  private ManifestFormat() {}

  static void write(IoEngine engine, Path path, Manifest manifest) throws IOException {
    AtomicFile.write(engine, path, MAGIC, VERSION, encode(manifest));
  }

  static Manifest read(IoEngine engine, Path path) throws IOException {
    return decode(path, AtomicFile.read(engine, path, MAGIC, VERSION));
  }

  static byte[] encode(Manifest manifest) {
    long bytes = HEADER_BYTES;
    for (List<TableMeta> level : List.of(manifest.level0(), manifest.level1())) {
      for (TableMeta meta : level) {
        bytes += TABLE_BYTES + meta.firstKey().byteSize() + meta.lastKey().byteSize();
      }
    }
    ByteBuffer to = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(manifest.created() ? 1 : 0);
    to.putInt(manifest.level0().size() + manifest.level1().size());
    to.putLong(manifest.nextNumber());
    to.putLong(manifest.horizonLsn());
    to.putLong(manifest.lastSequence());
    manifest.level0().forEach(meta -> putTable(to, 0, meta));
    manifest.level1().forEach(meta -> putTable(to, 1, meta));
    return to.array();
  }

  private static void putTable(ByteBuffer to, int level, TableMeta meta) {
    to.putInt(level);
    to.putShort((short) meta.firstKey().byteSize());
    to.putShort((short) meta.lastKey().byteSize());
    to.putLong(meta.number());
    to.putLong(meta.sizeBytes());
    to.putLong(meta.entries());
    to.putLong(meta.deletes());
    to.putLong(meta.firstSequence());
    to.putLong(meta.lastSequence());
    to.put(meta.firstKey().toArray(ValueLayout.JAVA_BYTE));
    to.put(meta.lastKey().toArray(ValueLayout.JAVA_BYTE));
  }

  static Manifest decode(Path path, byte[] payload) throws CorruptFileException {
    ByteBuffer from = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    try {
      int created = from.getInt();
      int tables = from.getInt();
      long nextNumber = from.getLong();
      long horizonLsn = from.getLong();
      long lastSequence = from.getLong();
      boolean sound =
          (created == 0 || created == 1)
              && tables >= 0
              && nextNumber > 0
              && horizonLsn >= 0
              && lastSequence >= 0
              && lastSequence <= RecordKind.SEQUENCE_MAX;
      require(sound, path, from, "header of the manifest");
      List<TableMeta> level0 = new ArrayList<>();
      List<TableMeta> level1 = new ArrayList<>();
      for (int i = 0; i < tables; i++) {
        int level = from.getInt();
        TableMeta meta = getTable(from);
        require(level == 0 || level == 1, path, from, "level of a table");
        require(
            meta.number() > 0
                && meta.number() < nextNumber
                && meta.sizeBytes() > TableFormat.FOOTER_BYTES
                && meta.sizeBytes() % TableFormat.BLOCK_ALIGNMENT_BYTES == 0
                && meta.lastSequence() <= lastSequence
                && Keys.compare(meta.firstKey(), meta.lastKey()) <= 0,
            path,
            from,
            "description of a table");
        require(
            level == 0
                || level1.isEmpty()
                || Keys.compare(level1.getLast().lastKey(), meta.firstKey()) < 0,
            path,
            from,
            "order of the tables");
        (level == 0 ? level0 : level1).add(meta);
      }
      require(!from.hasRemaining(), path, from, "end of the manifest");
      Manifest manifest =
          new Manifest(created == 1, nextNumber, horizonLsn, lastSequence, level0, level1);
      require(manifest.tableNumbers().size() == tables, path, from, "set of table numbers");
      return manifest;
    } catch (BufferUnderflowException endsEarly) {
      throw new CorruptFileException(path, payload.length, "more of the manifest", "its end");
    }
  }

  private static TableMeta getTable(ByteBuffer from) {
    int firstKeyBytes = Short.toUnsignedInt(from.getShort());
    int lastKeyBytes = Short.toUnsignedInt(from.getShort());
    return new TableMeta(
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        getKey(from, firstKeyBytes),
        getKey(from, lastKeyBytes));
  }

  private static MemorySegment getKey(ByteBuffer from, int bytes) {
    byte[] key = new byte[bytes];
    from.get(key);
    return MemorySegment.ofArray(key);
  }

  private static void require(boolean sound, Path path, ByteBuffer from, String what)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, from.position(), "a sound " + what, "another");
    }
  }
}
