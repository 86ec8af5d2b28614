package io.ewok.gds.lsm;

/**
 * A write that came between what a transaction has read and its commit.
 *
 * @param key that was written, or where a range begins that was deleted
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Conflict(FamilyState family, byte[] key, long sequence) {}
