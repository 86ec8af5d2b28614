package io.ewok.gds.ffm;

import static io.ewok.gds.ffm.ErrnoException.check;

import io.ewok.gds.ffm.natives.Gds;
import io.ewok.gds.ffm.natives.gds_file_status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;
import jnr.posix.FileStat;
import jnr.posix.POSIX;

/**
 * System calls on files by descriptor.
 *
 * <p>A descriptor belongs to who opened it and is closed once, after which the kernel may give its
 * number to another file: use after close is not caught.
 *
 * <p>Threads: those that {@link LinuxThreads#mayBlock}, one file by several at a time. Every call
 * save those on event counters may wait for the device and holds its thread meanwhile; one of
 * another thread is found by an assertion. Calls that a signal interrupted before they did anything
 * are repeated, save syncs: a second one may not know what the first one lost.
 *
 * {@snippet :
 * int fd = LinuxFiles.open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
 * LinuxFiles.fallocate(fd, 0, 0, 1 << 20);
 * LinuxFiles.pwrite(fd, buffer, 0, 4096, 0);
 * LinuxFiles.fdatasync(fd);
 * LinuxFiles.close(fd);
 * }
 *
 * <p>Errors: {@link ErrnoException} with what the kernel said.
 */
public final class LinuxFiles {

  /** {@link #fallocate} mode: leave the file's size as it is. */
  public static final int FALLOC_FL_KEEP_SIZE = 0x01;

  /**
   * {@link #fallocate} mode, with {@link #FALLOC_FL_KEEP_SIZE}: give the range back; it reads as
   * zeros.
   */
  public static final int FALLOC_FL_PUNCH_HOLE = 0x02;

  /** {@link #fallocate} mode: make the range read as zeros and keep it allocated. */
  public static final int FALLOC_FL_ZERO_RANGE = 0x10;

  /** {@link #pwrite} flag: durable on return, as by {@link #fdatasync} of what was written. */
  public static final int RWF_DSYNC = 0x02;

  /**
   * {@link #pwrite} flag: wholly or not at all, whatever happens; for the sizes that {@link
   * FileStatus} tells, at multiples of themselves.
   */
  public static final int RWF_ATOMIC = 0x40;

  /** {@link #eventfd} flag: a read of zero fails with EAGAIN instead of waiting. */
  public static final int EFD_NONBLOCK = 0x800;

  /** {@link #eventfd} flag: a read takes one instead of all. */
  public static final int EFD_SEMAPHORE = 1;

  /* Numbers of sys/file.h. */
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;

  private static final String BLOCKED =
      "a virtual thread would hold its carrier, an event loop would stand still";

  private LinuxFiles() {}

  /**
   * Opens or creates a file. The descriptor is never inherited by a started process.
   *
   * @param flags of {@link OpenFlags}; O_CLOEXEC is always added
   * @param mode permissions of a file that is created, less the process's umask, such as {@code
   *     0600}
   * @throws ErrnoException ENOENT, EEXIST, EACCES and so on; EINVAL also where O_DIRECT is not
   *     supported
   * @throws IllegalArgumentException if the name is outside ASCII and the locale's encoding is not
   *     UTF-8
   */
  public static int open(Path path, int flags, int mode) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    POSIX posix = ColdPosix.get();
    String name = nativeName(path, System.getProperty("sun.jnu.encoding"));
    while (true) {
      int fd = posix.open(name, flags | OpenFlags.O_CLOEXEC, mode);
      if (fd >= 0) {
        return fd;
      }
      int errno = posix.errno();
      if (errno != Errno.EINTR) {
        throw new ErrnoException("open", errno, name);
      }
    }
  }

  /* jnr-posix writes names in UTF-8, the JDK in the locale's encoding: they must not mean two different files. */
  static String nativeName(Path path, String encodingOfNames) {
    String name = path.toString();
    if (!"UTF-8".equalsIgnoreCase(encodingOfNames) && !name.chars().allMatch(c -> c < 0x80)) {
      throw new IllegalArgumentException(
          "file names outside ASCII need a UTF-8 locale: encoding="
              + encodingOfNames
              + " path="
              + name);
    }
    return name;
  }

  /**
   * Closes a descriptor. Whatever is reported, the descriptor is gone: never call twice.
   *
   * @throws ErrnoException EBADF for a number that was not open; EIO and others for data that was
   *     lost earlier
   */
  public static void close(int fd) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    closeNow(fd);
  }

  /** As {@link #close}, of what is closed without waiting. */
  static void closeNow(int fd) throws ErrnoException {
    POSIX posix = ColdPosix.get();
    // Linux frees the descriptor before it can be interrupted, so EINTR is success and a repetition
    // would hit another's.
    if (posix.close(fd) < 0 && posix.errno() != Errno.EINTR) {
      throw new ErrnoException("close", posix.errno());
    }
  }

  /**
   * Takes the exclusive lock of an open file (flock), without waiting. It belongs to the
   * descriptor: closing that, or the end of the process, frees it; nothing else does.
   *
   * @return false if another descriptor has it, of this process or another
   */
  public static boolean tryLock(int fd) throws ErrnoException {
    POSIX posix = ColdPosix.get();
    if (posix.flock(fd, LOCK_EX | LOCK_NB) == 0) {
      return true;
    }
    if (posix.errno() == Errno.EAGAIN) {
      return false;
    }
    throw new ErrnoException("flock", posix.errno());
  }

  /**
   * Reads at an offset; blocks.
   *
   * @param buffer off-heap memory
   * @param bufferOffset where in it the bytes go: no view has to be made of a part
   * @param offset in the file
   * @return bytes read, fewer than asked where the file ends or the kernel chose so, 0 at the end
   *     of the file
   * @throws IndexOutOfBoundsException if the range is not inside the buffer
   * @throws IllegalArgumentException if the buffer is read-only
   */
  public static long pread(
      int fd, MemorySegment buffer, long bufferOffset, long lengthBytes, long offset)
      throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    Objects.checkFromIndexSize(bufferOffset, lengthBytes, buffer.byteSize());
    if (buffer.isReadOnly()) {
      throw new IllegalArgumentException("the buffer is read-only: buffer=" + buffer);
    }
    return check("pread", Gds.gds_pread(fd, buffer, bufferOffset, lengthBytes, offset));
  }

  /**
   * Writes at an offset; blocks.
   *
   * @param buffer off-heap memory
   * @param bufferOffset where in it the bytes lie: no view has to be made of a part
   * @param offset in the file
   * @return bytes written, fewer than asked where the kernel chose so
   * @throws ErrnoException ENOSPC and EDQUOT where there is no room
   * @throws IndexOutOfBoundsException if the range is not inside the buffer
   */
  public static long pwrite(
      int fd, MemorySegment buffer, long bufferOffset, long lengthBytes, long offset)
      throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    Objects.checkFromIndexSize(bufferOffset, lengthBytes, buffer.byteSize());
    return check("pwrite", Gds.gds_pwrite(fd, buffer, bufferOffset, lengthBytes, offset));
  }

  /**
   * As {@link #pwrite(int, MemorySegment, long, long, long)}, with flags.
   *
   * @param flags a combination of the {@code RWF_} constants
   * @throws ErrnoException EOPNOTSUPP where the kernel or the file system knows a flag not, EINVAL
   *     for an atomic write of another size or place; with RWF_DSYNC any other as of {@link
   *     #fdatasync}
   */
  public static long pwrite(
      int fd, MemorySegment buffer, long bufferOffset, long lengthBytes, long offset, int flags)
      throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    Objects.checkFromIndexSize(bufferOffset, lengthBytes, buffer.byteSize());
    return check(
        "pwritev2", Gds.gds_pwrite_with(fd, buffer, bufferOffset, lengthBytes, offset, flags));
  }

  /**
   * Makes the file's data durable, with as much metadata as reading it back needs; blocks.
   *
   * @throws ErrnoException after which it is unknown what is durable; calling again may report
   *     success for data that is lost
   */
  public static void fdatasync(int fd) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    check("fdatasync", Gds.gds_fdatasync(fd));
  }

  /** As {@link #fdatasync}, with all metadata; of a directory, its entries. */
  public static void fsync(int fd) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    check("fsync", Gds.gds_fsync(fd));
  }

  /**
   * Allocates or gives back space; blocks.
   *
   * @param mode 0 to allocate and extend, or a combination of the {@code FALLOC_FL} constants
   * @throws ErrnoException ENOSPC where there is no room, after which part of the range may be
   *     allocated; EOPNOTSUPP where the file system cannot
   */
  public static void fallocate(int fd, int mode, long offset, long lengthBytes)
      throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    check("fallocate", Gds.gds_fallocate(fd, mode, offset, lengthBytes));
  }

  /** Sets the size; what is added reads as zeros. */
  public static void ftruncate(int fd, long sizeBytes) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    check("ftruncate", Gds.gds_ftruncate(fd, sizeBytes));
  }

  /**
   * Status of an open file. Where statx is forbidden, fstat answers, and alignments are not
   * reported.
   */
  public static FileStatus statx(int fd) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = gds_file_status.allocate(arena);
      int result = Gds.gds_statx(fd, status);
      if (result == -Errno.ENOSYS || result == -Errno.EPERM) {
        return fstat(fd);
      }
      check("statx", result);
      return new FileStatus(
          gds_file_status.size_bytes(status),
          gds_file_status.mode(status),
          gds_file_status.inode(status),
          gds_file_status.device(status),
          gds_file_status.hard_links(status),
          gds_file_status.direct_memory_alignment_bytes(status),
          gds_file_status.direct_offset_alignment_bytes(status),
          gds_file_status.atomic_write_min_bytes(status),
          gds_file_status.atomic_write_max_bytes(status),
          gds_file_status.logical_block_bytes(status),
          gds_file_status.file_system_type(status));
    }
  }

  static FileStatus fstat(int fd) throws ErrnoException {
    POSIX posix = ColdPosix.get();
    FileStat status = posix.allocateStat();
    if (posix.fstat(fd, status) < 0) {
      throw new ErrnoException("fstat", posix.errno());
    }
    return new FileStatus(
        status.st_size(),
        status.mode(),
        status.ino(),
        status.dev(),
        status.nlink(),
        0,
        0,
        0,
        0,
        0,
        0);
  }

  /** Makes an event counter, which any thread can raise and one can wait for; not inherited. */
  public static int eventfd(int initial, int flags) throws ErrnoException {
    return (int) check("eventfd", Gds.gds_eventfd(initial, flags));
  }

  /**
   * Takes the counter's value and sets it to zero; waits for one to come unless the counter is
   * EFD_NONBLOCK.
   *
   * @throws ErrnoException EAGAIN where a non-blocking counter is zero
   */
  public static long eventfdRead(int fd) throws ErrnoException {
    return check("eventfd read", Gds.gds_eventfd_read(fd));
  }

  /** Adds to the counter; any thread. */
  public static void eventfdWrite(int fd, long value) throws ErrnoException {
    check("eventfd write", Gds.gds_eventfd_write(fd, value));
  }
}
