package io.ewok.gds.pagestore.sim;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.LockedException;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What can be done with names, and what is refused. Guarded by the engine's lock. Operations on
 * names take no virtual time.
 */
final class SimFileSystem {
  private final SimNames names;
  private final SimFaults faults;

  /** Never lost in a crash, because they are never inherited. */
  private final Set<Path> heldLocks = new HashSet<>();

  SimFileSystem(SimNames names, SimFaults faults) {
    this.names = names;
    this.faults = faults;
  }

  private static Path normal(Path path) {
    return path.toAbsolutePath().normalize();
  }

  SimNode existing(Path path) throws StorageException {
    SimNode node = names.file(normal(path));
    if (node == null) {
      throw names.isDirectory(normal(path))
          ? new StorageException("this is not a regular file", path)
          : new MissingFileException(path, null);
    }
    return node;
  }

  private void requireParent(Path path) throws StorageException {
    Path parent = normal(path).getParent();
    if (parent == null || !names.isDirectory(parent)) {
      throw new MissingFileException(path, null);
    }
  }

  private void requireDirectory(Path directory) throws StorageException {
    if (names.file(normal(directory)) != null) {
      throw new StorageException("this is not a directory", directory);
    }
    if (!names.isDirectory(normal(directory))) {
      throw new MissingFileException(directory, null);
    }
  }

  boolean exists(Path path) {
    return names.file(normal(path)) != null || names.isDirectory(normal(path));
  }

  SimNode open(Path path, OpenMode mode) throws StorageException {
    faults.check(SimOperation.OPEN, path, -1);
    if (mode != OpenMode.CREATE_NEW) {
      return existing(path);
    }
    requireParent(path);
    if (exists(path)) {
      throw StorageException.ofErrno("open", path, -1, Errno.EEXIST);
    }
    SimNode node = new SimNode();
    names.create(normal(path), node);
    return node;
  }

  void createDirectories(Path directory) throws StorageException {
    Path path = normal(directory);
    for (int count = 1; count <= path.getNameCount(); count++) {
      Path next = path.getRoot().resolve(path.subpath(0, count));
      if (names.file(next) != null) {
        throw StorageException.ofErrno("create the directory", directory, -1, Errno.EEXIST);
      }
      names.createDirectory(next);
    }
  }

  List<Path> list(Path directory) throws StorageException {
    requireDirectory(directory);
    List<Path> entries = new ArrayList<>();
    for (Path entry : names.entries(normal(directory))) {
      entries.add(directory.resolve(entry.getFileName()));
    }
    Collections.sort(entries);
    return entries;
  }

  void rename(Path from, Path to) throws StorageException {
    boolean directory = names.isDirectory(normal(from));
    if (!directory) {
      existing(from);
    }
    requireParent(to);
    if (directory) {
      requireReplaceable(normal(from), normal(to));
    } else if (names.isDirectory(normal(to))) {
      throw StorageException.ofErrno("rename the file", from, -1, Errno.EISDIR);
    }
    faults.check(SimOperation.RENAME, from, -1);
    if (normal(from).equals(normal(to))) {
      return;
    }
    if (directory) {
      names.renameDirectory(normal(from), normal(to));
    } else {
      names.rename(normal(from), normal(to));
    }
  }

  /** Whether a directory can have a name. */
  private void requireReplaceable(Path from, Path to) throws StorageException {
    int errno = 0;
    if (from.getParent() == null || (to.startsWith(from) && !to.equals(from))) {
      errno = Errno.EINVAL;
    } else if (names.file(to) != null) {
      errno = Errno.ENOTDIR;
    } else if (!to.equals(from) && names.isDirectory(to) && !names.entries(to).isEmpty()) {
      errno = Errno.ENOTEMPTY;
    }
    if (errno != 0) {
      throw StorageException.ofErrno("rename the file", from, -1, errno);
    }
  }

  void link(Path existing, Path link) throws StorageException {
    SimNode node = existing(existing);
    requireParent(link);
    if (exists(link)) {
      throw StorageException.ofErrno("link the file", existing, -1, Errno.EEXIST);
    }
    faults.check(SimOperation.LINK, existing, -1);
    names.create(normal(link), node);
  }

  void delete(Path path) throws StorageException {
    Path name = normal(path);
    boolean directory = names.isDirectory(name);
    if (!directory) {
      existing(path);
    } else if (name.getParent() == null || !names.entries(name).isEmpty()) {
      throw new StorageException("cannot delete the file, the directory is not empty", path);
    }
    faults.check(SimOperation.DELETE, path, -1);
    if (directory) {
      names.deleteDirectory(name);
    } else {
      names.delete(name);
    }
  }

  void syncDirectory(Path directory) throws StorageException {
    requireDirectory(directory);
    faults.beforeSync();
    faults.check(SimOperation.SYNC_DIRECTORY, directory, -1);
    if (!faults.fires(SimFault.LOST_ENTRIES)) {
      names.sync(normal(directory));
    }
  }

  /** Takes a lock. Returns the name to {@link #unlock}. */
  Path lock(Path lockFile) throws StorageException {
    requireParent(lockFile);
    Path name = normal(lockFile);
    if (!heldLocks.add(name)) {
      throw new LockedException(lockFile, null);
    }
    if (names.file(name) == null) {
      names.create(name, new SimNode());
    }
    return name;
  }

  void unlock(Path name) {
    heldLocks.remove(name);
  }
}
