package io.ewok.gds.ffm.unchecked;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.ffm.natives.Gds;
import java.lang.foreign.MemorySegment;

/**
 * Transfers between a file and several pieces of memory, in their order. The pieces are told by an
 * array of {@code struct iovec} in native memory: each an address and a length in bytes, as 64-bit
 * numbers. That there is such memory is the caller's to know.
 *
 * <p>Threads and errors: as of {@link LinuxFiles#pread} and {@link LinuxFiles#pwrite}.
 */
public final class Pieces {
  /** Bytes of a piece's address and length. */
  public static final long ENTRY_BYTES = 16;

  /** The most pieces that the kernel takes at once. */
  public static final int COUNT_MAX = 1024;

  private static final String BLOCKED = "this thread must not wait in the kernel";

  private Pieces() {}

  /**
   * Reads at an offset; blocks.
   *
   * @param pieces at most {@link #COUNT_MAX}
   * @return bytes read into all of them
   */
  public static long read(int fd, MemorySegment pieces, long offset) throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    return checked("preadv", Gds.gds_preadv(fd, pieces, count(pieces), offset));
  }

  /**
   * Writes at an offset; blocks.
   *
   * @param flags a combination of the {@code RWF_} constants of {@link LinuxFiles}
   * @return bytes written from all of them
   */
  public static long write(int fd, MemorySegment pieces, long offset, int flags)
      throws ErrnoException {
    assert LinuxThreads.mayBlock() : BLOCKED;
    return checked("pwritev2", Gds.gds_pwritev(fd, pieces, count(pieces), offset, flags));
  }

  /** Returns how many pieces an array tells of. */
  public static int count(MemorySegment pieces) {
    return (int) (pieces.byteSize() / ENTRY_BYTES);
  }

  private static long checked(String call, long result) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, (int) -result);
    }
    return result;
  }
}
