package io.ewok.gds.lsm;

/**
 * A write that came between what a transaction has read and its commit; or a key that it has
 * written, and a prepared one holds.
 *
 * @param key that was written, or where a range begins that was deleted
 * @param sequence of the write; 0 if it is one of a prepared transaction
 * @param preparedOrNull the name of that
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Conflict(FamilyState family, byte[] key, long sequence, String preparedOrNull) {
  Conflict(FamilyState family, byte[] key, long sequence) {
    this(family, key, sequence, null);
  }

  /** What there is to say of it. */
  String message() {
    String where = "family=%s key=%s".formatted(family.name(), ConflictException.shown(key));
    return preparedOrNull == null
        ? "a transaction stands on what was written since: %s sequence=%d"
            .formatted(where, sequence)
        : "a transaction has written what a prepared one holds: %s prepared=%s"
            .formatted(where, preparedOrNull);
  }
}
