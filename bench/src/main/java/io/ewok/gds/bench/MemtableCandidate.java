package io.ewok.gds.bench;

/** A way to keep the newest records of a store in order in memory. */
interface MemtableCandidate extends AutoCloseable {
  /** Adds a record. */
  void insert(int record);

  /** Returns the first byte of the value of a record's key, which is there. */
  int get(int record);

  /** Returns the same; finds it by its place in the order. */
  int seek(int record);

  /** Goes through all records in order. Returns how many there are. */
  int scan();

  @Override
  void close();
}
