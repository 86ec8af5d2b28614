package io.ewok.gds.buffers.redo;

import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.buffers.PageSize;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The log record of one change, little-endian: a header, then for each page that was changed a part
 * with its operations in their order.
 *
 * <table>
 * <caption>Record</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>version</td><td>u32</td><td>1</td></tr>
 * </table>
 *
 * <table>
 * <caption>Part of a page</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>file</td><td>u32</td><td>{@link LoggedFile#id}</td></tr>
 * <tr><td>4</td><td>length</td><td>u32</td><td>bytes of the operations, which follow</td></tr>
 * <tr><td>8</td><td>page</td><td>u64</td><td>page number</td></tr>
 * </table>
 *
 * <table>
 * <caption>Operation</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>code and length</td><td>u32</td><td>high 8 bits: code; low 24 bits: bytes of the arguments, which
 *   follow. 255 is a page made empty, 254 a page given back, 253 bytes written at an offset (u32, then the bytes);
 *   others are the caller's</td></tr>
 * </table>
 *
 * <p>All operations on one page are in one part, because one position in the page's header says
 * whether it has them all.
 */
final class RedoFormat {
  static final int VERSION = 1;
  static final int HEADER_BYTES = Integer.BYTES;

  static final int PART_FILE = 0;
  static final int PART_LENGTH = PART_FILE + Integer.BYTES;
  static final int PART_PAGE = PART_LENGTH + Integer.BYTES;
  static final int PART_HEADER_BYTES = PART_PAGE + Long.BYTES;

  static final int OPERATION_HEADER_BYTES = Integer.BYTES;
  static final int ARGUMENT_BYTES_MAX = (1 << 24) - 1;

  static final int MAKE_EMPTY = 255;
  static final int GIVE_BACK = 254;
  static final int WRITE = 253;
  static final int CALLERS_CODE_MAX = 199;

  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int CODE_SHIFT = 24;

  private RedoFormat() {}

  static void startRecord(RedoBuffer record) {
    record.clear();
    int at = record.extend(HEADER_BYTES);
    record.segment().set(INT, at, VERSION);
  }

  static void addPart(RedoBuffer record, int file, long page, MemorySegment operations) {
    int at = record.extend(PART_HEADER_BYTES);
    record.segment().set(INT, at + PART_FILE, file);
    record.segment().set(INT, at + PART_LENGTH, (int) operations.byteSize());
    record.segment().set(LONG, at + PART_PAGE, page);
    record.append(operations);
  }

  /**
   * Adds an operation whose arguments are still to be filled in.
   *
   * @return the offset of the arguments
   */
  static int addOperation(RedoBuffer operations, int code, long argumentBytes) {
    if (argumentBytes > ARGUMENT_BYTES_MAX) {
      throw new IllegalArgumentException(
          "an operation has at most %d bytes of arguments: argumentBytes=%d"
              .formatted(ARGUMENT_BYTES_MAX, argumentBytes));
    }
    int at = operations.extend(OPERATION_HEADER_BYTES + argumentBytes);
    operations.segment().set(INT, at, code << CODE_SHIFT | (int) argumentBytes);
    return at + OPERATION_HEADER_BYTES;
  }

  /** Whether the operations give the page a content that does not depend on the one before. */
  static boolean startAnew(MemorySegment operations) {
    if (operations.byteSize() < OPERATION_HEADER_BYTES) {
      return false;
    }
    int code = operations.get(INT, 0) >>> CODE_SHIFT;
    return code == MAKE_EMPTY || code == GIVE_BACK;
  }

  /**
   * Does the operations of a part.
   *
   * @throws RuntimeException if one cannot be done, or they are not what this class wrote; the page
   *     may be changed in part
   */
  static void applyAll(PageRedo redo, PageSize size, MemorySegment page, MemorySegment operations) {
    long at = 0;
    while (at < operations.byteSize()) {
      int head = operations.get(INT, at);
      int length = head & ARGUMENT_BYTES_MAX;
      at += OPERATION_HEADER_BYTES;
      apply(redo, size, page, head >>> CODE_SHIFT, operations.asSlice(at, length));
      at += length;
    }
  }

  static void apply(
      PageRedo redo, PageSize size, MemorySegment page, int code, MemorySegment arguments) {
    switch (code) {
      case MAKE_EMPTY -> PageFormat.format(page, size);
      case GIVE_BACK -> {
        PageFormat.format(page, size);
        PageFormat.setFlags(page, PageFormat.FLAG_FREE);
      }
      case WRITE -> {
        long length = arguments.byteSize() - Integer.BYTES;
        MemorySegment.copy(arguments, Integer.BYTES, page, arguments.get(INT, 0), length);
      }
      default -> redo.apply(code, page, arguments.asReadOnly());
    }
  }
}
