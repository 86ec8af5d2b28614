package io.ewok.gds.pagestore;

/**
 * What an engine has done since it was opened: one reading of its counters. Each counter is exact;
 * they are read one after the other while work goes on, so sums over several may be off by what is
 * in flight.
 *
 * @param reads completed reads
 * @param writes completed writes
 * @param syncs completed syncs of files and directories
 * @param bytesRead bytes that reads returned
 * @param bytesWritten bytes that writes wrote
 * @param nativeCalls system calls made to transfer and sync; far fewer than operations where they
 *     are submitted in batches
 * @param inlineOperations those of the reads, writes and syncs that the calling platform thread
 *     performed itself, because that is faster than handing them over
 * @param remoteOperations those of the reads and writes whose memory, in a registered region, lies
 *     on another NUMA node than the thread that made them
 * @param remoteBytes the bytes of those
 */
public record IoStats(
    long reads,
    long writes,
    long syncs,
    long bytesRead,
    long bytesWritten,
    long nativeCalls,
    long inlineOperations,
    long remoteOperations,
    long remoteBytes) {
  /** Counters of an engine to which all memory is equally near. */
  public IoStats(
      long reads,
      long writes,
      long syncs,
      long bytesRead,
      long bytesWritten,
      long nativeCalls,
      long inlineOperations) {
    this(reads, writes, syncs, bytesRead, bytesWritten, nativeCalls, inlineOperations, 0, 0);
  }

  /** Returns what was done since an earlier reading. */
  public IoStats since(IoStats earlier) {
    return new IoStats(
        reads - earlier.reads,
        writes - earlier.writes,
        syncs - earlier.syncs,
        bytesRead - earlier.bytesRead,
        bytesWritten - earlier.bytesWritten,
        nativeCalls - earlier.nativeCalls,
        inlineOperations - earlier.inlineOperations,
        remoteOperations - earlier.remoteOperations,
        remoteBytes - earlier.remoteBytes);
  }
}
