package io.ewok.gds.pagestore.sim;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The errors that were asked for. Guarded by the engine's lock. */
final class SimFaults {
  /** One error to come; left counts down to its operation. */
  private static final class Fault {
    final SimOperation operation;
    final int errno;
    long left;

    Fault(SimOperation operation, long left, int errno) {
      this.operation = operation;
      this.left = left;
      this.errno = errno;
    }
  }

  private final List<Fault> faults = new ArrayList<>();

  void add(SimOperation operation, long n, int errno) {
    faults.add(new Fault(operation, n, errno));
  }

  /** Counts the operation; returns the errno it has to fail with, or 0. */
  int next(SimOperation operation) {
    int errno = 0;
    for (Fault fault : faults) {
      if (fault.operation == operation && --fault.left == 0) {
        errno = fault.errno;
      }
    }
    faults.removeIf(fault -> fault.left <= 0);
    return errno;
  }

  /** As {@link #next}, for operations that leave nothing behind when they fail. */
  void check(SimOperation operation, Path path, long offset) throws StorageException {
    int errno = next(operation);
    if (errno != 0) {
      throw StorageException.ofErrno(operation.verb(), path, offset, errno);
    }
  }
}
