package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What the log of a store that is archived says besides its writes, so that they can be done once
 * more from a backup on: what else changed the store in between, and when that was. Whoever else
 * reads the log passes by. Integers are little-endian, without alignment.
 *
 * <table>
 * <caption>Record</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>header</td><td>u64</td><td>of a mark, see {@link BatchFormat}</td></tr>
 * <tr><td>8</td><td>kind</td><td>u32</td><td>1 time, 2 families, 3 barrier; no others</td></tr>
 * <tr><td>12</td><td>count</td><td>u32</td><td>of families; 0 in others</td></tr>
 * <tr><td>16</td><td>time</td><td>u64</td><td>milliseconds since the epoch: all that lies before the
 * mark was written by then</td></tr>
 * <tr><td>16</td><td>families</td><td>count, each</td><td>number (u32), length of the name (u32),
 * length of the operator's name (u32), both in UTF-8: all families that there are, but for the
 * default one's name; what is not among them was dropped</td></tr>
 * <tr><td>16</td><td>barrier</td><td></td><td>what came into the store here and is not in the log, in
 * UTF-8, for people</td></tr>
 * </table>
 */
sealed interface LogMark {
  /** Everything before it was written by then, in milliseconds since the epoch. */
  record Time(long millis) implements LogMark {}

  /** The families from here on. */
  record FamilyList(List<OfFamily> families) implements LogMark {
    public FamilyList {
      families = List.copyOf(families);
    }
  }

  /**
   * A family of the list.
   *
   * @param mergeOperator name of the operator, or empty
   */
  record OfFamily(int id, String name, String mergeOperator) {}

  /** Something that is not in the log: what lies behind it cannot be done without it. */
  record Barrier(String what) implements LogMark {}

  int KIND_TIME = 1;
  int KIND_FAMILIES = 2;
  int KIND_BARRIER = 3;

  int HEADER_BYTES = BatchFormat.HEADER_BYTES + 2 * Integer.BYTES;
  int TIME_BYTES = HEADER_BYTES + Long.BYTES;

  int OF_FAMILY_BYTES = 3 * Integer.BYTES;

  /** Something that a manifest says of the families. */
  static FamilyList families(Manifest manifest) {
    return new FamilyList(
        manifest.all().stream()
            .map(family -> new OfFamily(family.id(), family.name(), family.mergeOperator()))
            .toList());
  }

  /** Returns the record of the log. */
  default byte[] encode() {
    return switch (this) {
      case Time(long millis) ->
          record(
              KIND_TIME,
              0,
              ByteBuffer.allocate(Long.BYTES)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .putLong(millis)
                  .array());
      case Barrier(String what) -> record(KIND_BARRIER, 0, utf8(what));
      case FamilyList(List<OfFamily> families) ->
          record(KIND_FAMILIES, families.size(), encode(families));
    };
  }

  private static byte[] record(int kind, int count, byte[] said) {
    return ByteBuffer.allocate(HEADER_BYTES + said.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(BatchFormat.markHeader())
        .putInt(kind)
        .putInt(count)
        .put(said)
        .array();
  }

  private static byte[] encode(List<OfFamily> families) {
    int bytes = 0;
    for (OfFamily family : families) {
      bytes += OF_FAMILY_BYTES + utf8(family.name).length + utf8(family.mergeOperator).length;
    }
    ByteBuffer to = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (OfFamily family : families) {
      byte[] name = utf8(family.name);
      byte[] operator = utf8(family.mergeOperator);
      to.putInt(family.id).putInt(name.length).putInt(operator.length).put(name).put(operator);
    }
    return to.array();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Reads a mark.
   *
   * @param record of which {@link BatchFormat#isMark} says that it is one
   * @throws IllegalArgumentException if it is none that is written here
   */
  static LogMark decode(MemorySegment record) {
    ByteBuffer from =
        ByteBuffer.wrap(record.toArray(ValueLayout.JAVA_BYTE)).order(ByteOrder.LITTLE_ENDIAN);
    try {
      require(from.getLong() == BatchFormat.markHeader(), "header", from);
      int kind = from.getInt();
      int count = from.getInt();
      LogMark mark =
          switch (kind) {
            case KIND_TIME -> new Time(from.getLong());
            case KIND_FAMILIES -> families(count, from);
            case KIND_BARRIER -> new Barrier(text(from, from.remaining()));
            default -> throw new IllegalArgumentException("an unknown mark: kind=" + kind);
          };
      require(kind == KIND_FAMILIES || count == 0, "count", from);
      require(!from.hasRemaining(), "end", from);
      return mark;
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("a mark is cut off: bytes=" + from.limit(), e);
    }
  }

  private static FamilyList families(int count, ByteBuffer from) {
    require(count > 0 && count <= from.remaining() / OF_FAMILY_BYTES, "count", from);
    List<OfFamily> families = new ArrayList<>();
    int before = -1;
    for (int i = 0; i < count; i++) {
      int id = from.getInt();
      int nameBytes = from.getInt();
      int operatorBytes = from.getInt();
      require(id > before, "number of a family", from);
      before = id;
      String name = text(from, nameBytes);
      require(FamilyEdit.isName(name), "name of a family", from);
      families.add(new OfFamily(id, name, text(from, operatorBytes)));
    }
    require(families.getFirst().id() == Manifest.MAIN, "default family", from);
    return new FamilyList(families);
  }

  private static String text(ByteBuffer from, int bytes) {
    require(bytes >= 0 && bytes <= from.remaining(), "length", from);
    byte[] text = new byte[bytes];
    from.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  private static void require(boolean sound, String what, ByteBuffer at) {
    if (!sound) {
      throw new IllegalArgumentException(
          "a mark has another %s: offset=%d".formatted(what, at.position()));
    }
  }
}
