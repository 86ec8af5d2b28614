package io.ewok.gds.bench;

import io.ewok.gds.pagestore.SyncMethod;
import java.util.List;
import java.util.Set;

/**
 * One question of {@link IoReport}: a pattern of I/O and who of ours does it.
 *
 * @param name for people
 * @param pattern which blocks, and whether they are read or written
 * @param blockBytes bytes of one operation
 * @param depth operations in flight, or threads that wait for one each
 * @param sync how each write becomes durable; AUTO if it does not
 * @param contenders who of ours
 */
record IoCase(
    String name,
    Pattern pattern,
    int blockBytes,
    int depth,
    SyncMethod sync,
    List<IoContender> contenders) {

  /** Which blocks; sequential patterns begin anew at the end of the file. */
  enum Pattern {
    RANDOM_READ("randread", false, true),
    RANDOM_WRITE("randwrite", true, true),
    READ("read", false, false),
    WRITE("write", true, false);

    /** What fio calls it. */
    final String fioName;

    final boolean isWrite;
    final boolean isRandom;

    Pattern(String fioName, boolean isWrite, boolean isRandom) {
      this.fioName = fioName;
      this.isWrite = isWrite;
      this.isRandom = isRandom;
    }
  }

  private static final int PAGE_BYTES = 4 << 10;

  private static final IoCase SINGLE_READ =
      randomRead(1, IoContender.URING, IoContender.PLATFORM_THREADS);
  private static final IoCase READ_32 = randomRead(32, IoContender.URING);

  static final List<IoCase> ALL =
      List.of(
          SINGLE_READ,
          randomRead(8, IoContender.URING),
          READ_32,
          randomRead(
              64,
              IoContender.URING,
              IoContender.POOL,
              IoContender.REACTOR_FIBERS,
              IoContender.VIRTUAL_THREADS,
              IoContender.PLATFORM_THREADS),
          new IoCase(
              "4 KiB random write, 32 in flight",
              Pattern.RANDOM_WRITE,
              PAGE_BYTES,
              32,
              SyncMethod.AUTO,
              List.of(IoContender.URING)),
          new IoCase(
              "256 KiB sequential read, 8 in flight",
              Pattern.READ,
              256 << 10,
              8,
              SyncMethod.AUTO,
              List.of(IoContender.URING)),
          append("4 KiB append, written through", SyncMethod.DSYNC),
          append("4 KiB append and fdatasync", SyncMethod.FDATASYNC));

  /** What is asked when there is little time. */
  static final List<IoCase> QUICK =
      List.of(
          SINGLE_READ,
          READ_32,
          randomRead(64, IoContender.URING, IoContender.POOL, IoContender.REACTOR_FIBERS));

  /** What is asked of the buffer manager. */
  static final List<IoCase> POOL = List.of(randomRead(64, IoContender.POOL_MISSES));

  private static IoCase randomRead(int depth, IoContender... contenders) {
    return new IoCase(
        "4 KiB random read, " + depth + " in flight",
        Pattern.RANDOM_READ,
        PAGE_BYTES,
        depth,
        SyncMethod.AUTO,
        List.of(contenders));
  }

  /** Appends as a log does that goes round in space written before: the file does not grow. */
  private static IoCase append(String name, SyncMethod sync) {
    return new IoCase(
        name,
        Pattern.WRITE,
        PAGE_BYTES,
        1,
        sync,
        List.of(IoContender.URING, IoContender.PLATFORM_THREADS));
  }

  /** Returns this case with those contenders of it alone that are in a set. */
  IoCase with(Set<IoContender> present) {
    List<IoContender> left = contenders.stream().filter(present::contains).toList();
    return new IoCase(name, pattern, blockBytes, depth, sync, left);
  }

  boolean isSynced() {
    return sync != SyncMethod.AUTO;
  }
}
