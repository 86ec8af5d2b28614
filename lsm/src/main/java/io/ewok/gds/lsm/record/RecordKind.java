package io.ewok.gds.lsm.record;

/**
 * What a record says about its key: one byte in the log, in memtables and in tables. The numbers
 * are on disk and never change their meaning.
 *
 * <table>
 * <caption>Kinds</caption>
 * <tr><th>number</th><th>meaning</th></tr>
 * <tr><td>0</td><td>never valid, so that zeroed bytes are not a record</td></tr>
 * <tr><td>1</td><td>put: the key has this value</td></tr>
 * <tr><td>2</td><td>delete: the key has no value; the record's value is empty</td></tr>
 * <tr><td>3</td><td>single delete: as a delete, by a writer who says that only one put of the key
 * is beneath; empty too</td></tr>
 * <tr><td>4</td><td>operand: what the key had before is to be merged with this by the store's
 * operator</td></tr>
 * <tr><td>5</td><td>range delete: all keys from the record's to before the one that is its value have
 * no value. It is kept beside the records of single keys, in memtables and tables</td></tr>
 * <tr><td>6</td><td>value reference: a put in a table whose value lies in a value file; the record's
 * value says where. In tables alone, not in the log or in memtables</td></tr>
 * <tr><td>7 to 15</td><td>kept for marks of transactions</td></tr>
 * <tr><td>255</td><td>never valid: as a search key it sorts before all records of its
 * sequence</td></tr>
 * </table>
 *
 * <p>Kind and sequence number make a <em>stamp</em>, {@code sequence << 8 | kind}. Records are
 * ordered by key, unsigned bytewise ascending, then by stamp descending: the newest comes first.
 */
public final class RecordKind {
  public static final int PUT = 1;
  public static final int DELETE = 2;
  public static final int SINGLE_DELETE = 3;
  public static final int OPERAND = 4;
  public static final int RANGE_DELETE = 5;
  public static final int VALUE_REFERENCE = 6;

  /** Sequence numbers have 56 bits, because they share 64 with the kind. */
  public static final long SEQUENCE_MAX = (1L << 56) - 1;

  private static final int KIND_BITS = 8;
  private static final int KIND_MASK = 0xFF;

  private RecordKind() {}

  /** Whether a record of one key may be of this kind, in the log and in memtables. */
  public static boolean isValid(int kind) {
    return kind >= PUT && kind <= OPERAND;
  }

  /** Whether a record says that its key has a value, wherever that lies. */
  public static boolean isPut(int kind) {
    return kind == PUT || kind == VALUE_REFERENCE;
  }

  /** Whether a record says that its key has no value. */
  public static boolean isDelete(int kind) {
    return kind == DELETE || kind == SINGLE_DELETE;
  }

  /** Whether what is written with this kind brings a value along, or an operand. */
  public static boolean hasValue(int kind) {
    return kind == PUT || kind == OPERAND;
  }

  /** Whether a record of one key may be of this kind, and have a value of this length then. */
  public static boolean isSound(int kind, long valueBytes) {
    return isValid(kind) && valueBytes >= 0 && (valueBytes == 0 || !isDelete(kind));
  }

  public static long stamp(long sequence, int kind) {
    return sequence << KIND_BITS | kind;
  }

  /** The stamp to search with for the newest record whose sequence is at most {@code sequence}. */
  public static long searchStamp(long sequence) {
    return sequence << KIND_BITS | KIND_MASK;
  }

  public static long sequence(long stamp) {
    return stamp >>> KIND_BITS;
  }

  public static int kind(long stamp) {
    return (int) stamp & KIND_MASK;
  }

  /** Orders two stamps of one key as records are: the greater stamp first. */
  public static int compareStamps(long a, long b) {
    return Long.compareUnsigned(b, a);
  }
}
