package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.record.RecordKind;

/**
 * One put, delete or merge of an epoch.
 *
 * @param shard which the key is of
 * @param kind see {@link RecordKind}: PUT, DELETE or OPERAND
 * @param value empty for a delete
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, nor changed
record Operation(int shard, int kind, byte[] key, byte[] value) {
  private static final byte[] NONE = {};

  static Operation put(int shard, byte[] key, byte[] value) {
    return new Operation(shard, RecordKind.PUT, key, value);
  }

  static Operation delete(int shard, byte[] key) {
    return new Operation(shard, RecordKind.DELETE, key, NONE);
  }

  static Operation merge(int shard, byte[] key, byte[] operand) {
    return new Operation(shard, RecordKind.OPERAND, key, operand);
  }

  /** Whether this is a kind that there is. */
  static boolean isKind(int kind) {
    return kind == RecordKind.PUT || kind == RecordKind.DELETE || kind == RecordKind.OPERAND;
  }

  /** What it counts in a batch, see {@link WriteBatch#sizeBytes}. */
  long sizeBytes() {
    return WriteBatch.OPERATION_OVERHEAD_BYTES + (long) key.length + value.length;
  }

  void addTo(WriteBatch batch) {
    switch (kind) {
      case RecordKind.PUT -> batch.put(key, value);
      case RecordKind.DELETE -> batch.delete(key);
      default -> batch.merge(key, value);
    }
  }

  /** What a batch counts for the number of its epoch. */
  static long numberBytes(byte[] key) {
    return 2L * WriteBatch.OPERATION_OVERHEAD_BYTES
        + WriteBatch.FAMILY_OVERHEAD_BYTES
        + key.length
        + Long.BYTES;
  }
}
