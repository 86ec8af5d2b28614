package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.ffm.OpenFlags;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Names of files of the operating system. Blocks its platform thread. */
final class Directories {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  /** Why a file system makes no hard link that another would make, as the JDK tells it. */
  private static final Set<String> NOT_LINKED =
      Stream.of(Errno.EXDEV, Errno.EPERM, Errno.EMLINK, Errno.EOPNOTSUPP, Errno.ENOSYS)
          .map(Errno::describe)
          .collect(Collectors.toUnmodifiableSet());

  private Directories() {}

  /** A step on names. */
  @FunctionalInterface
  private interface Step<T> {
    T run() throws IOException;
  }

  /** Runs a step and turns its exceptions into our family. */
  private static <T> T translated(String operation, Path path, Step<T> step)
      throws StorageException {
    assert LinuxThreads.mayBlock() : "this thread must not wait in the kernel";
    try {
      return step.run();
    } catch (StorageException e) {
      throw e;
    } catch (ErrnoException e) {
      throw StorageException.ofErrno(operation, path, e);
    } catch (NoSuchFileException e) {
      throw new MissingFileException(path, e);
    } catch (FileSystemException e) {
      if (Errno.describe(Errno.ENOSPC).equals(e.getReason())) {
        throw StorageException.ofErrno(operation, path, -1, Errno.ENOSPC, e);
      }
      String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
      throw new StorageException("cannot " + operation + ", " + reason, path, e);
    } catch (IOException e) {
      throw new StorageException("cannot " + operation + ", " + e.getMessage(), path, e);
    }
  }

  static void create(Path directory) throws StorageException {
    translated(
        "create the directory",
        directory,
        () -> {
          Deque<Path> missing = new ArrayDeque<>();
          Path above = directory.toAbsolutePath();
          while (above != null && !Files.isDirectory(above)) {
            missing.push(above);
            above = above.getParent();
          }
          for (Path next : missing) {
            try {
              Files.createDirectory(next, PRIVATE);
            } catch (FileAlreadyExistsException e) {
              if (!Files.isDirectory(next)) {
                throw e;
              }
            }
            sync(next.getParent());
          }
          return null;
        });
  }

  static List<Path> list(Path directory) throws StorageException {
    return translated(
        "list the directory",
        directory,
        () -> {
          List<Path> entries = new ArrayList<>();
          try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(entries::add);
          } catch (DirectoryIteratorException e) {
            throw e.getCause();
          }
          Collections.sort(entries);
          return entries;
        });
  }

  static boolean exists(Path path) throws StorageException {
    return translated(
        "look for the file",
        path,
        () -> {
          try {
            Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return true;
          } catch (NoSuchFileException e) {
            return false;
          }
        });
  }

  static void rename(Path from, Path to) throws StorageException {
    translated("rename the file", from, () -> Files.move(from, to, StandardCopyOption.ATOMIC_MOVE));
  }

  /** Returns whether the file system could. */
  static boolean link(Path existing, Path link) throws StorageException {
    return translated(
        "link the file",
        existing,
        () -> {
          try {
            Files.createLink(link, existing);
            return true;
          } catch (UnsupportedOperationException e) {
            return false;
          } catch (FileSystemException e) {
            if (e.getReason() != null && NOT_LINKED.contains(e.getReason())) {
              return false;
            }
            throw e;
          }
        });
  }

  static void delete(Path path) throws StorageException {
    translated(
        "delete the file",
        path,
        () -> {
          Files.delete(path);
          return null;
        });
  }

  static void sync(Path directory) throws StorageException {
    translated(
        "sync the directory",
        directory,
        () -> {
          int descriptor =
              LinuxFiles.open(directory, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY, 0);
          try {
            LinuxFiles.fsync(descriptor);
          } finally {
            LinuxFiles.close(descriptor);
          }
          return null;
        });
  }
}
