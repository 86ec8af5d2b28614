package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.FileStatus;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.OpenFlags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * A descriptor and what its file told when it was opened.
 *
 * @param direct whether it bypasses the page cache, for all that is known
 * @param fileSystem what it lies on
 * @param alignmentBytes what offsets, addresses and lengths are multiples of
 * @param deviceBytes size of a block device; negative for a regular file, whose size changes
 * @param deviceNumber says which files are on one device
 * @param atomicWrites the writes that it can do wholly or not at all
 */
record OpenedFile(
    int descriptor,
    boolean direct,
    String fileSystem,
    int alignmentBytes,
    long deviceBytes,
    long deviceNumber,
    AtomicWrites atomicWrites) {
  private static final int ALIGNMENT_BYTES_MIN = 512;

  /** Where the kernel does not report it (before 6.1): right for all devices that we know of. */
  private static final int ALIGNMENT_BYTES_UNREPORTED = 4096;

  private static final int MODE_PRIVATE = 0600;

  /* Numbers of sys/stat.h. */
  private static final int TYPE_MASK = 0xF000;
  private static final int TYPE_BLOCK_DEVICE = 0x6000;

  /** Opens on the calling platform thread. */
  static OpenedFile open(Path path, OpenMode mode) throws StorageException {
    int flags = OpenFlags.O_NOFOLLOW | flags(path, mode);
    boolean direct = true;
    int descriptor;
    try {
      try {
        descriptor = LinuxFiles.open(path, flags | OpenFlags.O_DIRECT, MODE_PRIVATE);
      } catch (ErrnoException e) {
        if (e.errno() != Errno.EINVAL) {
          throw e;
        }
        // The file system has no direct I/O. The refusal may come after the file was created.
        descriptor = LinuxFiles.open(path, flags & ~OpenFlags.O_EXCL, MODE_PRIVATE);
        direct = false;
      }
    } catch (ErrnoException e) {
      throw StorageException.ofErrno("open", path, e);
    }
    try {
      return examine(path, descriptor, direct);
    } catch (IOException e) {
      closeAfter(e, descriptor);
      throw e instanceof ErrnoException refused
          ? StorageException.ofErrno("open", path, refused)
          : (StorageException) e;
    }
  }

  private static int flags(Path path, OpenMode mode) throws StorageException {
    int flags =
        switch (mode) {
          case READ_ONLY -> OpenFlags.O_RDONLY;
          case READ_WRITE -> OpenFlags.O_RDWR;
          case CREATE_NEW -> OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL;
        };
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      // Opening a pipe would wait for somebody to open its other end.
      requireUsable(isBlockDevice(path), path);
      if (mode == OpenMode.READ_WRITE) {
        // Of a device that exists: refused while it is mounted.
        flags |= OpenFlags.O_EXCL;
      }
    }
    return flags;
  }

  private static boolean isBlockDevice(Path path) throws StorageException {
    try {
      int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
      return (mode & TYPE_MASK) == TYPE_BLOCK_DEVICE;
    } catch (IOException e) {
      throw new StorageException("cannot tell the type of the file", path, e);
    }
  }

  private static void requireUsable(boolean usable, Path path) throws StorageException {
    if (!usable) {
      throw new StorageException("this is neither a regular file nor a block device", path);
    }
  }

  private static OpenedFile examine(Path path, int descriptor, boolean openedDirect)
      throws IOException {
    FileStatus status = LinuxFiles.statx(descriptor);
    boolean device = status.isBlockDevice();
    requireUsable(device || status.isRegularFile(), path);
    // Of a device's node it is told where that lies.
    FileSystemKind fileSystem =
        device ? FileSystemKind.UNKNOWN : FileSystemKind.of(status.fileSystemType());
    boolean direct = openedDirect && fileSystem.isDirect(status.directOffsetAlignmentBytes() > 0);
    AtomicWrites atomicWrites =
        direct
            ? new AtomicWrites(status.atomicWriteMinBytes(), status.atomicWriteMaxBytes())
            : AtomicWrites.NONE;
    return new OpenedFile(
        descriptor,
        direct,
        device
            ? "none"
            : fileSystem == FileSystemKind.UNKNOWN
                ? "0x%x".formatted(status.fileSystemType())
                : fileSystem.toString(),
        alignmentBytes(path, status),
        device ? status.sizeBytes() : -1,
        // A device's node lies on another device than it stands for; each node is one device.
        device ? ~status.inode() : status.device(),
        atomicWrites);
  }

  private static int alignmentBytes(Path path, FileStatus status) throws StorageException {
    int reported =
        Math.max(
            status.logicalBlockBytes(),
            Math.max(status.directOffsetAlignmentBytes(), status.directMemoryAlignmentBytes()));
    int bytes =
        reported == 0 ? ALIGNMENT_BYTES_UNREPORTED : Math.max(ALIGNMENT_BYTES_MIN, reported);
    if (Integer.bitCount(bytes) != 1) {
      throw new StorageException(
          "the file system reports an unusable alignment: alignmentBytes=" + bytes, path);
    }
    return bytes;
  }

  private static void closeAfter(IOException failure, int descriptor) {
    try {
      LinuxFiles.close(descriptor);
    } catch (ErrnoException e) {
      failure.addSuppressed(e);
    }
  }

  boolean isDevice() {
    return deviceBytes >= 0;
  }
}
