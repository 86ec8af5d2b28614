package io.ewok.gds.bench.kv;

import io.ewok.gds.bench.curves.Curves;
import java.util.Locale;

/**
 * What one case came to in one turn. What does not apply is not a number.
 *
 * @param contender whose store
 * @param one the case
 * @param perSecond operations of all threads in a second; of a scan, records
 * @param medianMicros time that half of the operations did not exceed, in microseconds
 * @param p99Micros the same for 99 in 100
 * @param p9999Micros the same for 9,999 in 10,000
 * @param cpuNanos processor time of the whole process for an operation
 * @param heapBytes bytes of the Java heap that the threads of the workload allocate for an
 *     operation
 * @param writeAmplification bytes handed to the device for each byte of records written, until
 *     nothing is left to do in the background
 * @param spaceAmplification bytes of files for each byte of records, then
 * @param curves what is drawn of it
 */
public record KvSample(
    KvContender contender,
    KvCase one,
    double perSecond,
    double medianMicros,
    double p99Micros,
    double p9999Micros,
    double cpuNanos,
    double heapBytes,
    double writeAmplification,
    double spaceAmplification,
    Curves curves) {
  private static final String MARK = "sample";

  /** Returns one line that {@link #parse} understands. */
  String toLine() {
    return String.format(
        Locale.ROOT,
        "%s %s %s %s %s %s %s %s %s %s %s %s",
        MARK,
        contender.name(),
        one.name(),
        perSecond,
        medianMicros,
        p99Micros,
        p9999Micros,
        cpuNanos,
        heapBytes,
        writeAmplification,
        spaceAmplification,
        curves.toWord());
  }

  /** Returns whether a line of output is a sample. */
  static boolean isSample(String line) {
    return line.startsWith(MARK + ' ');
  }

  static KvSample parse(String line) {
    String[] words = line.split(" ", -1);
    int at = 1;
    return new KvSample(
        KvContender.valueOf(words[at++]),
        KvCase.valueOf(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Double.parseDouble(words[at++]),
        Curves.parse(words[at]));
  }
}
