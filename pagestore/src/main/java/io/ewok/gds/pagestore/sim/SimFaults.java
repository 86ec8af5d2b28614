package io.ewok.gds.pagestore.sim;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What is to go wrong: errors of chosen operations, faults at rates, and the hooks. Every operation
 * passes here. Guarded by the engine's lock.
 */
final class SimFaults {
  /** One error to come; left counts down to its operation. */
  private static final class Chosen {
    final SimOperation operation;
    final int errno;
    long left;

    Chosen(SimOperation operation, long left, int errno) {
      this.operation = operation;
      this.left = left;
      this.errno = errno;
    }
  }

  /** A kind of fault, with its own chance. */
  private static final class Rated {
    final SplittableRandom chance;
    double rate;
    long count;

    Rated(SplittableRandom chance) {
      this.chance = chance;
    }
  }

  /** Spreads the seeds of the kinds, whose order and number may change. */
  private static final long STREAM = 0x9E3779B97F4A7C15L;

  private final List<Chosen> chosen = new ArrayList<>();
  private final EnumMap<SimFault, Rated> rated = new EnumMap<>(SimFault.class);
  private final SimTrace trace;
  private Runnable onSync = () -> {};
  private Runnable onWrite = () -> {};
  private long syncCount;

  SimFaults(long seed, Map<SimFault, Double> rates, SimTrace trace) {
    this.trace = trace;
    for (SimFault fault : SimFault.values()) {
      rated.put(fault, new Rated(new SplittableRandom(seed ^ (STREAM * fault.name().hashCode()))));
    }
    rates.forEach(this::setRate);
  }

  void add(SimOperation operation, long n, int errno) {
    chosen.add(new Chosen(operation, n, errno));
  }

  void setRate(SimFault fault, double rate) {
    rated.get(fault).rate = rate;
  }

  void setOnSync(Runnable hook) {
    onSync = hook;
  }

  void setOnWrite(Runnable hook) {
    onWrite = hook;
  }

  /** A write begins. */
  void beforeWrite() {
    onWrite.run();
  }

  /** A sync begins. */
  void beforeSync() {
    syncCount++;
    onSync.run();
  }

  long syncCount() {
    return syncCount;
  }

  /** Decides whether a fault happens now. */
  boolean fires(SimFault fault) {
    Rated one = rated.get(fault);
    if (one.rate == 0 || one.chance.nextDouble() >= one.rate) {
      return false;
    }
    one.count++;
    trace.add(fault.name().hashCode());
    return true;
  }

  /** Returns where the details of a fault are drawn from. */
  SplittableRandom chance(SimFault fault) {
    return rated.get(fault).chance;
  }

  long count(SimFault fault) {
    return rated.get(fault).count;
  }

  /**
   * Counts the operation, and puts it in the trace.
   *
   * @return the errno that was chosen for it, or 0
   */
  int next(SimOperation operation, Path path, long offset) {
    trace.add(operation, path, offset);
    int errno = 0;
    for (Chosen one : chosen) {
      if (one.operation == operation && --one.left == 0) {
        errno = one.errno;
        trace.add(errno);
      }
    }
    chosen.removeIf(one -> one.left <= 0);
    return errno;
  }

  /** Counts and fails an operation that leaves nothing behind when it fails. */
  void check(SimOperation operation, Path path, long offset) throws StorageException {
    int errno = next(operation, path, offset);
    if (errno == 0) {
      errno =
          switch (operation) {
            case READ -> fires(SimFault.READ_ERROR) ? Errno.EIO : 0;
            case PREALLOCATE -> fires(SimFault.NO_SPACE) ? Errno.ENOSPC : 0;
            case OPEN, RENAME, DELETE, TRUNCATE, SYNC_DIRECTORY, LINK ->
                fires(SimFault.NAME_ERROR) ? Errno.EIO : 0;
            case WRITE, SYNC -> throw new AssertionError("leaves something: " + operation);
          };
    }
    if (errno != 0) {
      throw StorageException.ofErrno(operation.verb(), path, offset, errno);
    }
  }

  /**
   * Returns how a crash tears sectors.
   *
   * @param seed the crash's: the same crash has the same tears
   */
  SimTears tears(long seed) {
    Rated one = rated.get(SimFault.TORN_SECTOR);
    return new SimTears(one.rate, new SplittableRandom(seed ^ STREAM), () -> one.count++);
  }
}
