package io.ewok.gds.lsm;

import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.encryption.SealedBytes;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The manifest file: frames, each one {@link ManifestEdit}, from the start of the file. The first
 * makes a manifest out of nothing, each other one changes the one before it. Frames start at
 * multiples of {@link #FRAME_ALIGNMENT_BYTES}, so that writing one touches no other; zeros fill the
 * gap. All integers are little-endian, without alignment.
 *
 * <table>
 * <caption>Frame</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u32</td><td>"GDSM" in ASCII</td></tr>
 * <tr><td>4</td><td>version</td><td>u32</td><td>1, or 2 if the records are encrypted</td></tr>
 * <tr><td>8</td><td>length</td><td>u32</td><td>bytes of the records</td></tr>
 * <tr><td>12</td><td>checksum</td><td>u32</td><td>CRC32C of the frame but for this field, to the
 * end of the records</td></tr>
 * <tr><td>16</td><td>position</td><td>u64</td><td>offset of the frame in the file: guards against
 * misdirected writes</td></tr>
 * <tr><td>24</td><td>records</td><td></td><td>one after the other; or all of them as {@link
 * SealedBytes}, with the position as their place</td></tr>
 * </table>
 *
 * <table>
 * <caption>Record</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>type</td><td>u32</td><td>1 state, once and first in a frame; 2 table added; 3
 * table removed; 4 merge operator, once at most; 5 write times, once at most; 6 family; 7 family
 * dropped; 8 table added to a family; 9 next family, once at most; 10 value file added; 11 references
 * of the table that the record before has added; 13 sequence added; 14 file of a table; 15
 * time of a table; others belong to newer versions</td></tr>
 * <tr><td>4</td><td>length</td><td>u32</td><td>bytes that follow</td></tr>
 * </table>
 *
 * <table>
 * <caption>State</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>created</td><td>u32</td><td>1 once the log was created, before 0</td></tr>
 * <tr><td>4</td><td>next number</td><td>u64</td><td>number of the next table</td></tr>
 * <tr><td>12</td><td>horizon</td><td>u64</td><td>position in the log up to which the tables have
 * everything</td></tr>
 * <tr><td>20</td><td>last sequence</td><td>u64</td><td>newest sequence number in the tables</td></tr>
 * </table>
 *
 * <table>
 * <caption>Table added</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>level</td><td>u32</td><td></td></tr>
 * <tr><td>4</td><td>first key length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>8</td><td>last key length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>12</td><td>number</td><td>u64</td><td>names the file</td></tr>
 * <tr><td>20</td><td>size</td><td>u64</td><td>bytes</td></tr>
 * <tr><td>28</td><td>entries</td><td>u64</td><td>records</td></tr>
 * <tr><td>36</td><td>deletes</td><td>u64</td><td>those of them that are deletes</td></tr>
 * <tr><td>44</td><td>first sequence</td><td>u64</td><td></td></tr>
 * <tr><td>52</td><td>last sequence</td><td>u64</td><td></td></tr>
 * <tr><td>60</td><td>first key</td><td></td><td>then the last key</td></tr>
 * </table>
 *
 * <p>A table removed has its number, u64. A merge operator has its name in UTF-8, 1 to 255 bytes;
 * each frame says it again, from the first operand on. That, write times and tables added are of
 * the default family, so that a manifest with that alone is what it was before there were others.
 *
 * <table>
 * <caption>Write times</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>expiry floor</td><td>u64</td><td>records with smaller sequence numbers have expired;
 * they are not read, whether they are there or not</td></tr>
 * <tr><td>8</td><td>points</td><td>16 bytes each, to the end</td><td>a sequence number, u64, and the
 * time in milliseconds since the epoch, i64, at which or before all records up to there were
 * written; both ascending</td></tr>
 * </table>
 *
 * <table>
 * <caption>Family: one that is new, or of which something has changed</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>family</td><td>u32</td><td>its number, from 1 on, below the next family; never used
 * again</td></tr>
 * <tr><td>4</td><td>name length</td><td>u32</td><td>bytes, 1 to 255</td></tr>
 * <tr><td>8</td><td>operator length</td><td>u32</td><td>bytes, 0 to 255</td></tr>
 * <tr><td>12</td><td>name</td><td></td><td>UTF-8, then the merge operator, then write times as
 * above</td></tr>
 * </table>
 *
 * <table>
 * <caption>Value file added</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>number</td><td>u64</td><td>names the file; no table has it</td></tr>
 * <tr><td>8</td><td>family</td><td>u32</td><td>that the values are of</td></tr>
 * <tr><td>12</td><td>size</td><td>u64</td><td>bytes</td></tr>
 * <tr><td>20</td><td>entries</td><td>u64</td><td>values</td></tr>
 * <tr><td>28</td><td>entry bytes</td><td>u64</td><td>what these take</td></tr>
 * </table>
 *
 * <p>The references of a table are, for each value file that it refers to, ascending, the number of
 * the file, u64, and how many bytes of its entries, u64. A value file that no table refers to after
 * an edit is not part of the store any more.
 *
 * <p>A family dropped has its number, u32; its tables go with it. A table added to a family has the
 * number of that, u32, then what a table added has. The next family is a number, u32, above all
 * that ever were; each frame says it again, from the first family on.
 *
 * <p>A sequence added has the number of a table, u64, that the same frame adds, and what is to be
 * added to the sequence numbers in its file, u64, above 0: the table was written before it was
 * known which ones its records would have. First and last sequence are those with that added.
 *
 * <p>A family that was cloned has tables whose files others have written. The file of a table has
 * the number of a table, u64, that the same frame adds, then that which names the file, u64, and
 * the family that its footer names, u32. Files are never numbered anew, since their checksums, and
 * what is encrypted, depend on the number. A file is part of the store as long as one table has it.
 *
 * <p>The time of a table has its number, u64, which the same frame adds, and when its file was
 * written, u64, in milliseconds since the epoch, above 0. Without it that is not known.
 */
final class ManifestFormat {
  /** "GDSM" in ASCII. */
  static final int MAGIC = 0x4D53_4447;

  static final int VERSION = 1;

  /** Of an encrypted frame. */
  static final int VERSION_SEALED = 2;

  static final int FRAME_ALIGNMENT_BYTES = 4096;

  static final int MAGIC_OFFSET = 0;
  static final int VERSION_OFFSET = MAGIC_OFFSET + Integer.BYTES;
  static final int LENGTH_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int CHECKSUM_OFFSET = LENGTH_OFFSET + Integer.BYTES;
  static final int POSITION_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;
  static final int HEADER_BYTES = POSITION_OFFSET + Long.BYTES;

  static final int RECORD_HEADER_BYTES = 2 * Integer.BYTES;
  static final int STATE_BYTES = Integer.BYTES + 3 * Long.BYTES;
  static final int TABLE_BYTES = 3 * Integer.BYTES + 6 * Long.BYTES;

  static final int TYPE_STATE = 1;
  static final int TYPE_TABLE_ADDED = 2;
  static final int TYPE_TABLE_REMOVED = 3;
  static final int TYPE_MERGE_OPERATOR = 4;
  static final int TYPE_WRITE_TIMES = 5;
  static final int TYPE_FAMILY = 6;
  static final int TYPE_FAMILY_DROPPED = 7;
  static final int TYPE_FAMILY_TABLE_ADDED = 8;
  static final int TYPE_NEXT_FAMILY = 9;
  static final int TYPE_VALUE_FILE = 10;
  static final int TYPE_REFERENCES = 11;
  static final int TYPE_SEQUENCE_ADDED = 13;
  static final int TYPE_FILE = 14;
  static final int TYPE_WRITTEN = 15;

  static final int FAMILY_BYTES = 3 * Integer.BYTES;
  static final int VALUE_FILE_BYTES = Integer.BYTES + 4 * Long.BYTES;
  static final int REFERENCE_BYTES = 2 * Long.BYTES;
  static final int FILE_BYTES = 2 * Long.BYTES + Integer.BYTES;

  static final int OPERATOR_BYTES_MAX = 255;

  private static final String KEY_PURPOSE = "manifest";

  private ManifestFormat() {}

  /** Returns a frame, padded, for this position in the file; it is not encrypted. */
  static byte[] encode(ManifestEdit edit, long position) {
    return encode(VERSION, joined(edit), position);
  }

  /**
   * Returns a frame, padded, for this position in the file.
   *
   * @param keys by whose current key it is encrypted, if there is one
   */
  static byte[] encode(ManifestEdit edit, long position, KeySource keys, Path path)
      throws StorageException {
    byte[] records = joined(edit);
    byte[] sealed = SealedBytes.sealOrNull(keys, KEY_PURPOSE, position, records, path);
    return sealed == null
        ? encode(VERSION, records, position)
        : encode(VERSION_SEALED, sealed, position);
  }

  private static byte[] joined(ManifestEdit edit) {
    List<ByteBuffer> records = records(edit);
    long bytes = 0;
    for (ByteBuffer record : records) {
      bytes += record.capacity();
    }
    ByteBuffer to = ByteBuffer.allocate(Math.toIntExact(bytes));
    records.forEach(record -> to.put(record.flip()));
    return to.array();
  }

  private static byte[] encode(int version, byte[] records, long position) {
    long bytes = HEADER_BYTES + (long) records.length;
    long padded = (bytes + FRAME_ALIGNMENT_BYTES - 1) & -FRAME_ALIGNMENT_BYTES;
    ByteBuffer to = ByteBuffer.allocate(Math.toIntExact(padded)).order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(MAGIC_OFFSET, MAGIC);
    to.putInt(VERSION_OFFSET, version);
    to.putInt(LENGTH_OFFSET, (int) bytes - HEADER_BYTES);
    to.putLong(POSITION_OFFSET, position);
    to.position(HEADER_BYTES);
    to.put(records);
    to.putInt(CHECKSUM_OFFSET, checksum(to.array(), 0, (int) bytes));
    return to.array();
  }

  private static List<ByteBuffer> records(ManifestEdit edit) {
    List<ByteBuffer> records = new ArrayList<>();
    records.add(
        record(TYPE_STATE, STATE_BYTES)
            .putInt(edit.created() ? 1 : 0)
            .putLong(edit.nextNumber())
            .putLong(edit.horizonLsn())
            .putLong(edit.lastSequence()));
    byte[] operator = edit.main().mergeOperator().getBytes(StandardCharsets.UTF_8);
    WriteTimes times = edit.main().writeTimes();
    if (operator.length > 0) {
      records.add(record(TYPE_MERGE_OPERATOR, operator.length).put(operator));
    }
    if (!times.equals(WriteTimes.NONE)) {
      records.add(putTimes(record(TYPE_WRITE_TIMES, timesBytes(times)), times));
    }
    if (edit.nextFamily() > Manifest.MAIN + 1) {
      records.add(record(TYPE_NEXT_FAMILY, Integer.BYTES).putInt(edit.nextFamily()));
    }
    for (int family : edit.dropped()) {
      records.add(record(TYPE_FAMILY_DROPPED, Integer.BYTES).putInt(family));
    }
    edit.families().forEach(family -> records.add(family(family)));
    for (long number : edit.removed()) {
      records.add(record(TYPE_TABLE_REMOVED, Long.BYTES).putLong(number));
    }
    edit.values().forEach(meta -> records.add(valueFile(meta)));
    for (ManifestEdit.Added added : edit.added()) {
      TableMeta meta = added.meta();
      records.add(table(added));
      if (!meta.references().isEmpty()) {
        records.add(references(meta.references()));
      }
      if (meta.addedSequence() > 0) {
        records.add(
            record(TYPE_SEQUENCE_ADDED, 2 * Long.BYTES)
                .putLong(meta.number())
                .putLong(meta.addedSequence()));
      }
      if (meta.isCloned()) {
        records.add(
            record(TYPE_FILE, FILE_BYTES)
                .putLong(meta.number())
                .putLong(meta.fileNumber())
                .putInt(meta.fileFamily()));
      }
      if (meta.writtenMillis() > 0) {
        records.add(
            record(TYPE_WRITTEN, 2 * Long.BYTES)
                .putLong(meta.number())
                .putLong(meta.writtenMillis()));
      }
    }
    return records;
  }

  private static ByteBuffer valueFile(ValueFileMeta meta) {
    return record(TYPE_VALUE_FILE, VALUE_FILE_BYTES)
        .putLong(meta.number())
        .putInt(meta.family())
        .putLong(meta.sizeBytes())
        .putLong(meta.entries())
        .putLong(meta.entryBytes());
  }

  private static ByteBuffer references(ValueReferences references) {
    ByteBuffer to = record(TYPE_REFERENCES, references.count() * REFERENCE_BYTES);
    for (int i = 0; i < references.count(); i++) {
      to.putLong(references.file(i)).putLong(references.bytes(i));
    }
    return to;
  }

  /** A record whose body, of so many bytes, is still to be put. */
  private static ByteBuffer record(int type, int bytes) {
    return ByteBuffer.allocate(RECORD_HEADER_BYTES + bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(type)
        .putInt(bytes);
  }

  private static int tableBytes(TableMeta meta) {
    return Math.toIntExact(TABLE_BYTES + meta.firstKey().byteSize() + meta.lastKey().byteSize());
  }

  private static int timesBytes(WriteTimes times) {
    return Long.BYTES + times.points().size() * 2 * Long.BYTES;
  }

  private static ByteBuffer putTimes(ByteBuffer to, WriteTimes times) {
    to.putLong(times.expiryFloor());
    times.points().forEach(point -> to.putLong(point.sequence()).putLong(point.millis()));
    return to;
  }

  private static ByteBuffer family(FamilyEdit family) {
    byte[] name = family.name().getBytes(StandardCharsets.UTF_8);
    byte[] operator = family.mergeOperator().getBytes(StandardCharsets.UTF_8);
    int bytes = FAMILY_BYTES + name.length + operator.length + timesBytes(family.writeTimes());
    ByteBuffer to = record(TYPE_FAMILY, bytes);
    to.putInt(family.id()).putInt(name.length).putInt(operator.length).put(name).put(operator);
    return putTimes(to, family.writeTimes());
  }

  private static ByteBuffer table(ManifestEdit.Added added) {
    TableMeta meta = added.meta();
    ByteBuffer to;
    if (meta.family() == Manifest.MAIN) {
      to = record(TYPE_TABLE_ADDED, tableBytes(meta));
    } else {
      to = record(TYPE_FAMILY_TABLE_ADDED, Integer.BYTES + tableBytes(meta));
      to.putInt(meta.family());
    }
    to.putInt(added.level());
    to.putInt((int) meta.firstKey().byteSize()).putInt((int) meta.lastKey().byteSize());
    to.putLong(meta.number()).putLong(meta.sizeBytes());
    to.putLong(meta.entries()).putLong(meta.deletes());
    to.putLong(meta.firstSequence()).putLong(meta.lastSequence());
    to.put(meta.firstKey().toArray(ValueLayout.JAVA_BYTE));
    return to.put(meta.lastKey().toArray(ValueLayout.JAVA_BYTE));
  }

  private static int checksum(byte[] file, int offset, int bytes) {
    CRC32C crc = new CRC32C();
    crc.update(file, offset, CHECKSUM_OFFSET);
    crc.update(file, offset + POSITION_OFFSET, bytes - POSITION_OFFSET);
    return (int) crc.getValue();
  }

  /**
   * Returns the size of the frame that starts here, padded; 0 if there is none or it is damaged.
   */
  static int frameBytes(byte[] file, int offset) {
    int left = file.length - offset;
    if (left < HEADER_BYTES) {
      return 0;
    }
    ByteBuffer from = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int length = from.getInt(offset + LENGTH_OFFSET);
    if (from.getInt(offset + MAGIC_OFFSET) != MAGIC
        || from.getLong(offset + POSITION_OFFSET) != offset
        || length < 0
        || length > left - HEADER_BYTES
        || from.getInt(offset + CHECKSUM_OFFSET) != checksum(file, offset, HEADER_BYTES + length)) {
      return 0;
    }
    return (HEADER_BYTES + length + FRAME_ALIGNMENT_BYTES - 1) & -FRAME_ALIGNMENT_BYTES;
  }

  /**
   * Reads the edit of a frame that is not damaged.
   *
   * @throws CorruptFileException if it is forged
   * @throws UnsupportedFormatException if a newer version wrote it
   * @throws io.ewok.gds.pagestore.UnknownKeyException if it is encrypted
   */
  static ManifestEdit decode(Path path, byte[] file, int offset) throws StorageException {
    return decode(path, file, offset, KeySource.NONE);
  }

  /**
   * Reads the edit of a frame that is not damaged, and may be encrypted.
   *
   * @throws CorruptFileException if it is forged
   * @throws UnsupportedFormatException if a newer version wrote it
   * @throws io.ewok.gds.pagestore.UnknownKeyException if the key is not among those given
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one
   * @throws io.ewok.gds.pagestore.PlainFileException if it is not encrypted, and should be
   */
  static ManifestEdit decode(Path path, byte[] file, int offset, KeySource keys)
      throws StorageException {
    ByteBuffer whole = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int version = whole.getInt(offset + VERSION_OFFSET);
    if (version != VERSION && version != VERSION_SEALED) {
      throw new UnsupportedFormatException(path, version, VERSION_SEALED);
    }
    int length = whole.getInt(offset + LENGTH_OFFSET);
    ByteBuffer records = whole.slice(offset + HEADER_BYTES, length);
    if (version == VERSION_SEALED) {
      long position = whole.getLong(offset + POSITION_OFFSET);
      records =
          ByteBuffer.wrap(
              SealedBytes.open(keys, KEY_PURPOSE, position, records, path, offset + HEADER_BYTES));
    } else {
      FileKey.acceptPlain(keys, path);
    }
    ByteBuffer from = records.order(ByteOrder.LITTLE_ENDIAN);
    try {
      ManifestEdit edit = null;
      boolean hasOperator = false;
      boolean hasTimes = false;
      boolean hasNextFamily = false;
      List<FamilyEdit> families = new ArrayList<>();
      List<Integer> dropped = new ArrayList<>();
      List<ManifestEdit.Added> added = new ArrayList<>();
      List<Long> removed = new ArrayList<>();
      List<ValueFileMeta> values = new ArrayList<>();
      int typeBefore = 0;
      FamilyEdit main = Manifest.EMPTY.main().about();
      int nextFamily = Manifest.EMPTY.nextFamily();
      while (from.hasRemaining()) {
        int type = from.getInt();
        int bytes = from.getInt();
        if (bytes < 0 || bytes > from.remaining() || (type == TYPE_STATE) != (edit == null)) {
          throw corrupt(path, offset, "record type " + type + " of " + bytes + " bytes");
        }
        ByteBuffer body = from.slice(from.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
        from.position(from.position() + bytes);
        switch (type) {
          case TYPE_STATE -> edit = getState(body);
          case TYPE_TABLE_ADDED -> added.add(getTable(body, Manifest.MAIN));
          case TYPE_FAMILY_TABLE_ADDED -> added.add(getTable(body, body.getInt()));
          case TYPE_SEQUENCE_ADDED -> addSequence(path, offset, added, body);
          case TYPE_FILE -> setFile(path, offset, added, body);
          case TYPE_WRITTEN -> setWritten(path, offset, added, body);
          case TYPE_TABLE_REMOVED -> removed.add(body.getLong());
          case TYPE_MERGE_OPERATOR -> {
            if (hasOperator || bytes == 0 || bytes > OPERATOR_BYTES_MAX) {
              throw corrupt(path, offset, "a merge operator of " + bytes + " bytes");
            }
            hasOperator = true;
            main = main.withMergeOperator(getText(body, bytes));
          }
          case TYPE_WRITE_TIMES -> {
            if (hasTimes) {
              throw corrupt(path, offset, "write times twice");
            }
            hasTimes = true;
            main = main.withWriteTimes(getTimes(body));
          }
          case TYPE_FAMILY -> families.add(getFamily(path, offset, body));
          case TYPE_FAMILY_DROPPED -> dropped.add(body.getInt());
          case TYPE_NEXT_FAMILY -> {
            if (hasNextFamily) {
              throw corrupt(path, offset, "the next family twice");
            }
            hasNextFamily = true;
            nextFamily = body.getInt();
          }
          case TYPE_VALUE_FILE -> values.add(getValueFile(body));
          case TYPE_REFERENCES -> {
            if (typeBefore != TYPE_TABLE_ADDED && typeBefore != TYPE_FAMILY_TABLE_ADDED) {
              throw corrupt(path, offset, "references of no table");
            }
            ManifestEdit.Added table = added.removeLast();
            TableMeta meta = table.meta().withReferences(getReferences(path, offset, body));
            added.add(new ManifestEdit.Added(table.level(), meta));
          }
          default -> throw corrupt(path, offset, "record type " + type);
        }
        if (body.hasRemaining()) {
          throw corrupt(path, offset, "a record with bytes at its end");
        }
        typeBefore = type;
      }
      if (edit == null) {
        throw corrupt(path, offset, "no record");
      }
      return new ManifestEdit(
          edit.created(),
          edit.nextNumber(),
          edit.horizonLsn(),
          edit.lastSequence(),
          nextFamily,
          main,
          families,
          dropped,
          added,
          removed,
          values);
    } catch (BufferUnderflowException endsEarly) {
      throw corrupt(path, offset, "a record that ends early");
    }
  }

  private static ValueFileMeta getValueFile(ByteBuffer from) {
    return new ValueFileMeta(
        from.getLong(), from.getInt(), from.getLong(), from.getLong(), from.getLong());
  }

  private static ValueReferences getReferences(Path path, int offset, ByteBuffer from)
      throws CorruptFileException {
    ValueReferences.Counter counter = new ValueReferences.Counter();
    long last = 0;
    while (from.hasRemaining()) {
      long file = from.getLong();
      long bytes = from.getLong();
      if (file <= last || bytes <= 0) {
        throw corrupt(path, offset, "references to %d bytes of file %d".formatted(bytes, file));
      }
      counter.add(file, bytes);
      last = file;
    }
    return counter.references();
  }

  private static ManifestEdit getState(ByteBuffer from) {
    return Manifest.EMPTY
        .edit()
        .withState(from.getInt() == 1, from.getLong(), from.getLong(), from.getLong());
  }

  private static FamilyEdit getFamily(Path path, int offset, ByteBuffer from)
      throws CorruptFileException {
    int id = from.getInt();
    int nameBytes = from.getInt();
    int operatorBytes = from.getInt();
    if (nameBytes < 1
        || nameBytes > FamilyEdit.NAME_BYTES_MAX
        || operatorBytes < 0
        || operatorBytes > OPERATOR_BYTES_MAX) {
      throw corrupt(
          path,
          offset,
          "a family with names of %d and %d bytes".formatted(nameBytes, operatorBytes));
    }
    String name = getText(from, nameBytes);
    String operator = getText(from, operatorBytes);
    return new FamilyEdit(id, name, operator, getTimes(from));
  }

  private static String getText(ByteBuffer from, int bytes) {
    byte[] text = new byte[bytes];
    from.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  private static WriteTimes getTimes(ByteBuffer from) {
    long floor = from.getLong();
    List<WriteTimes.Point> points = new ArrayList<>();
    while (from.hasRemaining()) {
      points.add(new WriteTimes.Point(from.getLong(), from.getLong()));
    }
    return new WriteTimes(floor, points);
  }

  private static ManifestEdit.Added getTable(ByteBuffer from, int family) {
    int level = from.getInt();
    int firstKeyBytes = from.getInt();
    int lastKeyBytes = from.getInt();
    return new ManifestEdit.Added(
        level,
        new TableMeta(
            from.getLong(),
            from.getLong(),
            from.getLong(),
            from.getLong(),
            from.getLong(),
            from.getLong(),
            getKey(from, firstKeyBytes),
            getKey(from, lastKeyBytes),
            family));
  }

  // What is said of a table comes right behind it: so these look for it from the end.

  /** Says it of a table that was read before, once. */
  private static void addSequence(
      Path path, int offset, List<ManifestEdit.Added> tables, ByteBuffer from)
      throws CorruptFileException {
    long number = from.getLong();
    long added = from.getLong();
    for (int i = tables.size() - 1; i >= 0; i--) {
      TableMeta meta = tables.get(i).meta();
      if (meta.number() == number
          && meta.addedSequence() == 0
          && added > 0
          && added <= meta.firstSequence()) {
        tables.set(i, new ManifestEdit.Added(tables.get(i).level(), meta.withAddedSequence(added)));
        return;
      }
    }
    throw corrupt(path, offset, "sequence numbers %d of table %d".formatted(added, number));
  }

  /** Says it of a table that was read before, once. */
  private static void setFile(
      Path path, int offset, List<ManifestEdit.Added> tables, ByteBuffer from)
      throws CorruptFileException {
    long number = from.getLong();
    long fileNumber = from.getLong();
    int fileFamily = from.getInt();
    for (int i = tables.size() - 1; i >= 0; i--) {
      TableMeta meta = tables.get(i).meta();
      if (meta.number() == number && !meta.isCloned() && fileNumber != number) {
        tables.set(
            i, new ManifestEdit.Added(tables.get(i).level(), meta.inFile(fileNumber, fileFamily)));
        return;
      }
    }
    throw corrupt(path, offset, "file %d of table %d".formatted(fileNumber, number));
  }

  /** Says it of a table that was read before, once. */
  private static void setWritten(
      Path path, int offset, List<ManifestEdit.Added> tables, ByteBuffer from)
      throws CorruptFileException {
    long number = from.getLong();
    long millis = from.getLong();
    for (int i = tables.size() - 1; i >= 0; i--) {
      TableMeta meta = tables.get(i).meta();
      if (meta.number() == number && meta.writtenMillis() == 0 && millis > 0) {
        tables.set(i, new ManifestEdit.Added(tables.get(i).level(), meta.writtenAt(millis)));
        return;
      }
    }
    throw corrupt(path, offset, "time %d of table %d".formatted(millis, number));
  }

  private static MemorySegment getKey(ByteBuffer from, int bytes) {
    if (bytes < 0 || bytes > from.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] key = new byte[bytes];
    from.get(key);
    return MemorySegment.ofArray(key);
  }

  private static CorruptFileException corrupt(Path path, int offset, String found) {
    return new CorruptFileException(path, offset, "an edit of the manifest", found);
  }
}
