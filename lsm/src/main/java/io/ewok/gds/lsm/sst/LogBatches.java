package io.ewok.gds.lsm.sst;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The puts and deletes in a write-ahead log, in the order in which they were made. Each record of
 * the log is a batch ({@code db/write_batch.cc}): its first sequence number, u64; the number of its
 * operations, u32; the operations, each a kind, u8, and its arguments, which start with their
 * lengths as varints.
 *
 * <p>Those of other column families than the default one are passed over.
 *
 * <p>Confined to one thread; whoever opened it closes it.
 */
final class LogBatches implements Closeable {
  /** Kinds of operations beside those of tables; with a column family first, if they have one. */
  private static final int LOG_DATA = 3;

  private static final int FAMILY_DELETE = 4;
  private static final int FAMILY_PUT = 5;
  private static final int FAMILY_MERGE = 6;
  private static final int FAMILY_SINGLE_DELETE = 8;
  private static final int NOOP = 0xD;
  private static final int FAMILY_RANGE_DELETE = 0xE;
  private static final int FAMILY_BLOB = 0x10;
  private static final int FAMILY_WIDE_COLUMNS = 0x17;
  private static final int FAMILY_PUT_WITH_TIME = 0x19;

  private final LogFile log;
  private ByteReader batch;
  private int left;
  private byte[] key;
  private byte[] value;

  LogBatches(Path path, long number) throws IOException {
    this.log = new LogFile(path, number);
  }

  /** Moves to the next operation; false at the end. */
  boolean next() throws IOException {
    while (true) {
      if (batch == null || batch.remaining() == 0) {
        requireNoneLeft();
        batch = log.next();
        if (batch == null) {
          return false;
        }
        batch.u64();
        left = batch.u32();
      } else if (readOperation()) {
        return true;
      }
    }
  }

  private void requireNoneLeft() throws IOException {
    if (left != 0) {
      throw batch.corrupt("more operations in a batch", left);
    }
  }

  /** Returns whether it is one for the store. */
  private boolean readOperation() throws IOException {
    int kind = batch.u8();
    int plainKind = withoutFamily(kind);
    int family = plainKind == kind ? 0 : batch.length();
    switch (plainKind) {
      case SstFormat.PUT -> {
        key = batch.lengthPrefixed();
        value = batch.lengthPrefixed();
      }
      case SstFormat.DELETE, SstFormat.SINGLE_DELETE -> {
        key = batch.lengthPrefixed();
        value = null;
      }
      case LOG_DATA -> {
        batch.skipLengthPrefixed();
        return false; // Not counted.
      }
      case NOOP -> {
        return false; // Not counted.
      }
      case SstFormat.MERGE,
          SstFormat.RANGE_DELETE,
          SstFormat.BLOB,
          SstFormat.WIDE_COLUMNS,
          SstFormat.PUT_WITH_TIME -> {
        if (family == 0) {
          throw batch.unsupported(
              "an operation in a log cannot be taken over into a store, it is a "
                  + SstFormat.kindName(plainKind));
        }
        batch.skipLengthPrefixed();
        batch.skipLengthPrefixed();
      }
      default ->
          throw batch.unsupported(
              "an operation in a log is not known here, or of a transaction: kind=" + kind);
    }
    left--;
    return family == 0;
  }

  private static int withoutFamily(int kind) {
    return switch (kind) {
      case FAMILY_DELETE -> SstFormat.DELETE;
      case FAMILY_PUT -> SstFormat.PUT;
      case FAMILY_MERGE -> SstFormat.MERGE;
      case FAMILY_SINGLE_DELETE -> SstFormat.SINGLE_DELETE;
      case FAMILY_RANGE_DELETE -> SstFormat.RANGE_DELETE;
      case FAMILY_BLOB -> SstFormat.BLOB;
      case FAMILY_WIDE_COLUMNS -> SstFormat.WIDE_COLUMNS;
      case FAMILY_PUT_WITH_TIME -> SstFormat.PUT_WITH_TIME;
      default -> kind;
    };
  }

  byte[] key() {
    return key;
  }

  /** The value; null for a delete. */
  byte[] valueOrNull() {
    return value;
  }

  boolean isTorn() {
    return log.isTorn();
  }

  long doneBytes() {
    return log.doneBytes();
  }

  @Override
  public void close() throws IOException {
    log.close();
  }
}
