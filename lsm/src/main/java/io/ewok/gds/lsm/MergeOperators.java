package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.function.LongBinaryOperator;

/**
 * The usual merge operators. All combine operands, so that a key has few of them however often it
 * is merged.
 *
 * <table>
 * <caption>Operators</caption>
 * <tr><th>operator</th><th>setting</th><th>the value becomes</th></tr>
 * <tr><td>{@link #add64}</td><td>{@code add64}</td><td>the sum, as a number of 64 bits that
 * overflows</td></tr>
 * <tr><td>{@link #min64}, {@link #max64}</td><td>{@code min64}, {@code max64}</td><td>the smallest
 * or greatest, as signed numbers of 64 bits</td></tr>
 * <tr><td>{@link #append}</td><td>{@code append:} and the delimiter in hexadecimal digits</td>
 * <td>all of them one after the other, with the delimiter between</td></tr>
 * <tr><td>{@link #greatest}</td><td>{@code greatest}</td><td>the one whose bytes are the greatest,
 * unsigned: a put only if greater</td></tr>
 * <tr><td>{@link #last}</td><td>{@code last}</td><td>the newest operand: a put</td></tr>
 * <tr><td>{@link #or}</td><td>{@code or}</td><td>the union of sets of bits, as long as the longest
 * </td></tr>
 * </table>
 *
 * <p>Numbers are 8 bytes, little-endian; a value or operand of another length fails the merge.
 */
public final class MergeOperators {
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int DELIMITER_BYTES_MAX = 64;
  private static final String APPEND = "append:";

  private static final MergeOperator ADD = new OfNumbers("add64", Long::sum);
  private static final MergeOperator MIN = new OfNumbers("min64", Math::min);
  private static final MergeOperator MAX = new OfNumbers("max64", Math::max);
  private static final MergeOperator GREATEST = new Choice("greatest", false);
  private static final MergeOperator LAST = new Choice("last", true);
  private static final MergeOperator OR = new Or();

  private MergeOperators() {}

  /** Adds numbers. */
  public static MergeOperator add64() {
    return ADD;
  }

  /** Keeps the smallest number. */
  public static MergeOperator min64() {
    return MIN;
  }

  /** Keeps the greatest number. */
  public static MergeOperator max64() {
    return MAX;
  }

  /**
   * Puts operands behind the value.
   *
   * @param delimiter between two of them, up to 64 bytes, which are part of the operator's name
   */
  public static MergeOperator append(byte[] delimiter) {
    if (delimiter.length > DELIMITER_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a delimiter has at most %d bytes: delimiterBytes=%d"
              .formatted(DELIMITER_BYTES_MAX, delimiter.length));
    }
    return new Append(delimiter.clone());
  }

  /** Keeps the bytes that are the greatest. */
  public static MergeOperator greatest() {
    return GREATEST;
  }

  /** Keeps the newest operand. */
  public static MergeOperator last() {
    return LAST;
  }

  /** Unites sets of bits. */
  public static MergeOperator or() {
    return OR;
  }

  /**
   * Returns the operator of a setting.
   *
   * @throws IllegalArgumentException if there is none
   */
  static MergeOperator named(String text) {
    return switch (text) {
      case "none" -> MergeOperator.NONE;
      case "add64" -> ADD;
      case "min64" -> MIN;
      case "max64" -> MAX;
      case "greatest" -> GREATEST;
      case "last" -> LAST;
      case "or" -> OR;
      default -> {
        if (!text.startsWith(APPEND)) {
          throw new IllegalArgumentException(
              "none, add64, min64, max64, greatest, last, or, or append: and a delimiter in"
                  + " hexadecimal digits: store.merge="
                  + text);
        }
        yield append(delimiter(text));
      }
    };
  }

  private static byte[] delimiter(String text) {
    try {
      return HexFormat.of().parseHex(text, APPEND.length(), text.length());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "a delimiter is given in pairs of hexadecimal digits: store.merge=" + text, e);
    }
  }

  /** One whose operands mean the same beside each other as on a value: values are operands too. */
  private abstract static sealed class Associative implements MergeOperator {
    private final String name;

    Associative(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean combine(MemorySegment key, Operands operands, ResultBytes result) {
      merge(key, operands, result);
      return true;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final class OfNumbers extends Associative {
    private final LongBinaryOperator operation;

    OfNumbers(String name, LongBinaryOperator operation) {
      super(name);
      this.operation = operation;
    }

    @Override
    public void merge(MemorySegment key, Operands operands, ResultBytes result) {
      long value = number(operands.memory(), operands.offset(0), operands.bytes(0));
      for (int i = 1; i < operands.count(); i++) {
        long next = number(operands.memory(), operands.offset(i), operands.bytes(i));
        value = operation.applyAsLong(value, next);
      }
      if (operands.hasBase()) {
        long base = number(operands.memory(), operands.baseOffset(), operands.baseBytes());
        value = operation.applyAsLong(base, value);
      }
      result.setLong(value);
    }

    private static long number(MemorySegment memory, long offset, int lengthBytes) {
      if (lengthBytes != Long.BYTES) {
        throw new IllegalArgumentException("a number has 8 bytes: lengthBytes=" + lengthBytes);
      }
      return memory.get(U64, offset);
    }
  }

  private static final class Append extends Associative {
    private final MemorySegment delimiter;

    Append(byte[] delimiter) {
      super(APPEND + HexFormat.of().formatHex(delimiter));
      this.delimiter = MemorySegment.ofArray(delimiter);
    }

    @Override
    public void merge(MemorySegment key, Operands operands, ResultBytes result) {
      MemorySegment from = operands.memory();
      long bytes = operands.hasBase() ? operands.baseBytes() + delimiter.byteSize() : 0;
      for (int i = 0; i < operands.count(); i++) {
        bytes += operands.bytes(i);
      }
      MemorySegment to = result.reserve(bytes + (operands.count() - 1) * delimiter.byteSize());
      long at = 0;
      if (operands.hasBase()) {
        at = append(to, at, from, operands.baseOffset(), operands.baseBytes());
      }
      for (int i = 0; i < operands.count(); i++) {
        if (i > 0 || operands.hasBase()) {
          at = append(to, at, delimiter, 0, delimiter.byteSize());
        }
        at = append(to, at, from, operands.offset(i), operands.bytes(i));
      }
    }

    private static long append(
        MemorySegment to, long at, MemorySegment from, long offset, long bytes) {
      MemorySegment.copy(from, offset, to, at, bytes);
      return at + bytes;
    }
  }

  private static final class Choice extends Associative {
    private final boolean newest;

    Choice(String name, boolean newest) {
      super(name);
      this.newest = newest;
    }

    @Override
    public void merge(MemorySegment key, Operands operands, ResultBytes result) {
      MemorySegment memory = operands.memory();
      int last = operands.count() - 1;
      long offset = operands.offset(last);
      int bytes = operands.bytes(last);
      for (int i = last - 1; i >= 0 && !newest; i--) {
        if (compare(memory, operands.offset(i), operands.bytes(i), offset, bytes) > 0) {
          offset = operands.offset(i);
          bytes = operands.bytes(i);
        }
      }
      if (!newest
          && operands.hasBase()
          && compare(memory, operands.baseOffset(), operands.baseBytes(), offset, bytes) > 0) {
        offset = operands.baseOffset();
        bytes = operands.baseBytes();
      }
      result.set(memory, offset, bytes);
    }

    private static int compare(MemorySegment memory, long a, int aBytes, long b, int bBytes) {
      long at = MemorySegment.mismatch(memory, a, a + aBytes, memory, b, b + bBytes);
      if (at < 0 || at == aBytes || at == bBytes) {
        return Integer.compare(aBytes, bBytes);
      }
      return Byte.compareUnsigned(
          memory.get(ValueLayout.JAVA_BYTE, a + at), memory.get(ValueLayout.JAVA_BYTE, b + at));
    }
  }

  private static final class Or extends Associative {
    Or() {
      super("or");
    }

    @Override
    public void merge(MemorySegment key, Operands operands, ResultBytes result) {
      int longest = operands.hasBase() ? operands.baseBytes() : 0;
      for (int i = 0; i < operands.count(); i++) {
        longest = Math.max(longest, operands.bytes(i));
      }
      MemorySegment to = result.reserve(longest);
      to.fill((byte) 0);
      if (operands.hasBase()) {
        or(to, operands.memory(), operands.baseOffset(), operands.baseBytes());
      }
      for (int i = 0; i < operands.count(); i++) {
        or(to, operands.memory(), operands.offset(i), operands.bytes(i));
      }
    }

    private static void or(MemorySegment to, MemorySegment from, long offset, int bytes) {
      int i = 0;
      for (; i <= bytes - Long.BYTES; i += Long.BYTES) {
        to.set(U64, i, to.get(U64, i) | from.get(U64, offset + i));
      }
      for (; i < bytes; i++) {
        byte both =
            (byte) (to.get(ValueLayout.JAVA_BYTE, i) | from.get(ValueLayout.JAVA_BYTE, offset + i));
        to.set(ValueLayout.JAVA_BYTE, i, both);
      }
    }
  }
}
