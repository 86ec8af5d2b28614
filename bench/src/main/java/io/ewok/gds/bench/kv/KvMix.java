package io.ewok.gds.bench.kv;

/**
 * Operations in random order; what no percentage is given for is reads.
 *
 * @param picker which records
 * @param updates percentage of new values of records
 * @param inserts percentage of records that were not there
 * @param scans percentage of cursors that go some records forward
 * @param modifications percentage of reads of a record followed by an update of it
 * @param scanMin fewest records of a scan
 * @param scanMax most records of a scan
 */
record KvMix(
    Picker picker,
    int updates,
    int inserts,
    int scans,
    int modifications,
    int scanMin,
    int scanMax) {
  /** Each thread writes records of its own. */
  static final KvMix NEW_RECORDS = new KvMix(Picker.OWN, 100, 0, 0, 0, 0, 0);

  /** Which records. */
  enum Picker {
    /** Any, one as often as the other. */
    UNIFORM,
    /** Some much oftener, as YCSB has it; they lie anywhere. */
    ZIPF,
    /** The oftener, the later they were inserted. */
    LATEST,
    /** Such as are not there, between others. */
    MISSING,
    /** One of the thread's own after the other. */
    OWN
  }

  static KvMix reads(Picker picker) {
    return new KvMix(picker, 0, 0, 0, 0, 0, 0);
  }
}
