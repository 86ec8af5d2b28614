package io.ewok.gds.wal;

/**
 * The header of one block, see {@link LogFormat}.
 *
 * @param lsn where the block starts
 * @param incarnation the log's incarnation that wrote it
 * @param extentBytes from this block's start to the next one's
 * @param payloadBytes bytes of records after the header
 * @param durableLsn what was known to be durable when it was written
 * @param previousEndLsn where the content before this block ends
 * @param keyId number of the master key under which the records are sealed, or 0
 * @param salt of the key, or 0
 */
record BlockHeader(
    long lsn,
    long incarnation,
    int extentBytes,
    int payloadBytes,
    long durableLsn,
    long previousEndLsn,
    int keyId,
    long salt) {

  /** One whose records are not sealed. */
  BlockHeader(
      long lsn,
      long incarnation,
      int extentBytes,
      int payloadBytes,
      long durableLsn,
      long previousEndLsn) {
    this(lsn, incarnation, extentBytes, payloadBytes, durableLsn, previousEndLsn, 0, 0);
  }

  /** Where this block's records end. */
  long endLsn() {
    return lsn + LogFormat.BLOCK_HEADER_BYTES + payloadBytes;
  }

  long nextLsn() {
    return lsn + extentBytes;
  }
}
