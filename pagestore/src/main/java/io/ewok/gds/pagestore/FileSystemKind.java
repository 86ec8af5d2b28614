package io.ewok.gds.pagestore;

import java.util.Locale;

/**
 * What is known of file systems that matter here, by the number that the kernel tells of them.
 *
 * <p>Some take a file that is opened for direct I/O and move its bytes through memory all the same:
 * those without a device, those that check or compress what they write, and some that lie over
 * others.
 */
enum FileSystemKind {
  EXT(0xEF53, false),
  XFS(0x58465342, false),
  BTRFS(0x9123683E, true),
  ZFS(0x2FC12FC1, true),
  TMPFS(0x01021994, true),
  RAMFS(0x858458F6, true),
  OVERLAY(0x794C7630, true),
  FUSE(0x65735546, true),
  NFS(0x6969, false),
  UNKNOWN(0, false);

  private final int type;
  private final boolean mayUseMemory;

  FileSystemKind(int type, boolean mayUseMemory) {
    this.type = type;
    this.mayUseMemory = mayUseMemory;
  }

  static FileSystemKind of(int type) {
    for (FileSystemKind kind : values()) {
      if (kind.type == type) {
        return kind;
      }
    }
    return UNKNOWN;
  }

  /**
   * Returns whether a file that could be opened for direct I/O has it.
   *
   * @param tellsAlignment whether the file system says what direct I/O is to be aligned to, which
   *     one that lies over others passes on
   */
  boolean isDirect(boolean tellsAlignment) {
    return !mayUseMemory || (this == OVERLAY && tellsAlignment);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
