package io.ewok.gds.cli;

/**
 * One record of an input: a key and its value, as bytes. Whoever receives it owns both arrays.
 *
 * @param key may be empty
 * @param value may be empty
 */
@SuppressWarnings("ArrayRecordComponent") // A carrier between two loops; never compared or hashed.
record Entry(byte[] key, byte[] value) {

  /** What the entry adds to a data set, in bytes. */
  long sizeBytes() {
    return (long) key.length + value.length;
  }
}
