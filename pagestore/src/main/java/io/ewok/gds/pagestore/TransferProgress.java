package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.Errno;

/**
 * Completes transfers that the kernel cut short, the same way for every engine: told each result,
 * it says what is left to do.
 *
 * <p>A read that returns nothing, or stops where no aligned transfer can go on, has reached the end
 * of the file. A write that stops at an unaligned place goes back to the last aligned one.
 *
 * <p>Threads: confined to whoever performs the transfer at the time.
 */
public final class TransferProgress {
  /**
   * What the ring is given at once. It hands what is longer to a thread of its own, which is slower
   * than going on with the rest; and it keeps other work from the device.
   */
  static final int CALL_BYTES_MAX = 512 << 10;

  /** A kernel that says "again" this often, or writes nothing, will not do it next time either. */
  private static final int FRUITLESS_MAX = 100;

  private boolean write;
  private int length;
  private int alignmentBytes;
  private int fruitless;

  private int done;
  private int errno;

  public void start(boolean write, int length, int alignmentBytes) {
    this.write = write;
    this.length = length;
    this.alignmentBytes = alignmentBytes;
    this.fruitless = 0;
    this.done = 0;
    this.errno = 0;
  }

  /** Bytes transferred, a multiple of the alignment while more is left. */
  public int done() {
    return done;
  }

  /** 0, or the error that ended the transfer. */
  public int errno() {
    return errno;
  }

  /**
   * Takes the result of one system call.
   *
   * @param result bytes, or -errno
   * @return whether another call is needed, for what follows {@link #done}
   */
  public boolean advance(int result) {
    if (result < 0) {
      if ((result == -Errno.EINTR || result == -Errno.EAGAIN) && ++fruitless < FRUITLESS_MAX) {
        return true;
      }
      errno = -result;
      return false;
    }
    int reached = done + result;
    if (reached >= length) {
      done = reached;
      return false;
    }
    if (!write) {
      done = reached;
      return result > 0 && (reached & (alignmentBytes - 1)) == 0;
    }
    int aligned = reached & -alignmentBytes;
    if (aligned == done && ++fruitless == FRUITLESS_MAX) {
      errno = Errno.EIO;
      return false;
    }
    done = aligned;
    return true;
  }
}
