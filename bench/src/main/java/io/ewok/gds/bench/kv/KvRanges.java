package io.ewok.gds.bench.kv;

import java.util.SplittableRandom;

/**
 * Ranges of some 50 neighbouring records that are deleted: a thousand, or so many that three
 * quarters of the records stay. They do not overlap, come in an order that looks random, and are
 * the same for all stores with as many records.
 */
final class KvRanges {
  private static final int COUNT_MAX = 1000;
  private static final int RECORDS_MIN = 25;
  private static final int RECORDS_MAX = 75;

  /** Of which there is one range. */
  private static final int PIECE_RECORDS_MIN = 200;

  private static final long SEED = 43;

  private final int[] firsts;
  private final int[] ends;

  KvRanges(int entries) {
    int count = Math.clamp(entries / PIECE_RECORDS_MIN, 1, COUNT_MAX);
    int pieceRecords = entries / count;
    firsts = new int[count];
    ends = new int[count];
    SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < count; i++) {
      int records = RECORDS_MIN + random.nextInt(RECORDS_MAX - RECORDS_MIN + 1);
      int first = i * pieceRecords + random.nextInt(pieceRecords - records + 1);
      int place = random.nextInt(i + 1);
      firsts[i] = firsts[place];
      ends[i] = ends[place];
      firsts[place] = first;
      ends[place] = first + records;
    }
  }

  int count() {
    return firsts.length;
  }

  /** Returns the first record of a range, counted in the order of keys. */
  int first(int index) {
    return firsts[index];
  }

  /** Returns the record behind the last. */
  int end(int index) {
    return ends[index];
  }
}
