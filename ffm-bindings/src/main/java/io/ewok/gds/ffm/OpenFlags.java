package io.ewok.gds.ffm;

/**
 * Flags of {@code open}, to be combined with {@code |}. Numbers of Linux; the three that differ
 * between machines are chosen for this one.
 */
public final class OpenFlags {

  private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;

  /** Does not wait for a pipe's other end. Not for files whose transfers go through io_uring. */
  public static final int O_NONBLOCK = 0x800;

  public static final int O_DSYNC = 0x1000;
  public static final int O_CLOEXEC = 0x8_0000;

  /** Past the kernel's page cache; offsets, lengths and memory must then be aligned. */
  public static final int O_DIRECT = ARM ? 0x1_0000 : 0x4000;

  public static final int O_DIRECTORY = ARM ? 0x4000 : 0x1_0000;

  /** Fails with ELOOP where the last part of the path is a symbolic link. */
  public static final int O_NOFOLLOW = ARM ? 0x8000 : 0x2_0000;

  private OpenFlags() {}
}
