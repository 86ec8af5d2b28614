package io.ewok.gds.pagestore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/**
 * Locks between processes, and within this one.
 *
 * <p>A POSIX lock belongs to the process and is lost when the process closes any descriptor of the
 * file. Trying a lock that this process holds would therefore free it when the attempt cleans up:
 * held locks are remembered, and the file is not opened a second time.
 *
 * <p>Threads: any.
 */
final class FileLocks {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  /** Real paths of the lock files this process holds. Guarded by itself. */
  private static final Set<Path> HELD = new HashSet<>();

  private FileLocks() {}

  static DirectoryLock lock(Path lockFile) throws StorageException {
    Path absolute = lockFile.toAbsolutePath();
    try {
      Path key = absolute.getParent().toRealPath().resolve(absolute.getFileName());
      synchronized (HELD) {
        if (HELD.contains(key)) {
          throw new LockedException(lockFile, null);
        }
        FileChannel channel =
            FileChannel.open(
                key,
                Set.of(
                    StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                PRIVATE);
        FileLock lock = null;
        try {
          lock = channel.tryLock();
        } finally {
          if (lock == null) {
            channel.close();
          }
        }
        if (lock == null) {
          throw new LockedException(lockFile, null);
        }
        HELD.add(key);
        return new Held(key, channel);
      }
    } catch (StorageException e) {
      throw e;
    } catch (NoSuchFileException e) {
      throw new MissingFileException(lockFile, e);
    } catch (IOException e) {
      throw new StorageException("cannot lock, " + e.getMessage(), lockFile, e);
    }
  }

  /** A lock that is held until close; the channel holds it. */
  private record Held(Path key, FileChannel channel) implements DirectoryLock {
    @Override
    public void close() throws IOException {
      synchronized (HELD) {
        if (channel.isOpen()) {
          channel.close();
          HELD.remove(key);
        }
      }
    }
  }
}
