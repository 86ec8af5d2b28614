package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.OpenFlags;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Locks between processes, and within this one: flock(2), whose lock belongs to the descriptor that
 * took it. A POSIX lock would be lost when the process closes any other descriptor of the file.
 *
 * <p>Threads: any.
 */
final class FileLocks {
  private static final int MODE_PRIVATE = 0600;

  private FileLocks() {}

  static DirectoryLock lock(Path lockFile, BlockingCalls blockingCalls) throws StorageException {
    int descriptor = -1;
    boolean locked = false;
    try {
      // Does not wait, should there be a pipe of this name.
      descriptor =
          LinuxFiles.open(
              lockFile,
              OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_NOFOLLOW | OpenFlags.O_NONBLOCK,
              MODE_PRIVATE);
      if (!LinuxFiles.statx(descriptor).isRegularFile()) {
        throw new StorageException("this is not a regular file", lockFile);
      }
      locked = LinuxFiles.tryLock(descriptor);
      if (!locked) {
        throw new LockedException(lockFile, null);
      }
      return new Held(lockFile, descriptor, blockingCalls);
    } catch (ErrnoException e) {
      throw StorageException.ofErrno("lock", lockFile, e);
    } finally {
      if (descriptor >= 0 && !locked) {
        closeQuietly(descriptor);
      }
    }
  }

  /** After a failure that is reported; nothing was written to the file. */
  private static void closeQuietly(int descriptor) {
    try {
      LinuxFiles.close(descriptor);
    } catch (ErrnoException e) {
      // The descriptor is gone all the same.
    }
  }

  /** A lock that is held until close. */
  private static final class Held implements DirectoryLock {
    private final Path lockFile;
    private final int descriptor;
    private final BlockingCalls blockingCalls;
    private final AtomicBoolean closed = new AtomicBoolean();

    Held(Path lockFile, int descriptor, BlockingCalls blockingCalls) {
      this.lockFile = lockFile;
      this.descriptor = descriptor;
      this.blockingCalls = blockingCalls;
    }

    @Override
    public void close() throws IOException {
      if (closed.compareAndSet(false, true)) {
        try {
          blockingCalls.run(() -> LinuxFiles.close(descriptor));
        } catch (ErrnoException e) {
          throw StorageException.ofErrno("unlock", lockFile, e);
        }
      }
    }
  }
}
