package io.ewok.gds.ffm;

/**
 * What the kernel knows of an open file.
 *
 * @param sizeBytes length of the file or the block device
 * @param mode type and permissions, as in {@code st_mode}
 * @param inode number of the file in its file system
 * @param device number of the file system's device; with {@code inode} it identifies the file
 * @param hardLinks names the file has; 0 once the last was removed
 * @param directMemoryAlignmentBytes what O_DIRECT demands of memory addresses; 0 where it is not
 *     reported
 * @param directOffsetAlignmentBytes what O_DIRECT demands of offsets and lengths; 0 where it is not
 *     reported
 * @param atomicWriteMinBytes the smallest write that is done wholly or not at all, of those that
 *     ask for it; 0 where there are none
 * @param atomicWriteMaxBytes the largest such write
 * @param logicalBlockBytes the unit of transfers of a block device; 0 for other files
 * @param fileSystemType the magic number of the file system's kind, as {@code statfs} tells it; 0
 *     where it is not reported
 */
public record FileStatus(
    long sizeBytes,
    int mode,
    long inode,
    long device,
    int hardLinks,
    int directMemoryAlignmentBytes,
    int directOffsetAlignmentBytes,
    int atomicWriteMinBytes,
    int atomicWriteMaxBytes,
    int logicalBlockBytes,
    int fileSystemType) {

  private static final int TYPE_MASK = 0xF000;
  private static final int TYPE_REGULAR = 0x8000;
  private static final int TYPE_DIRECTORY = 0x4000;
  private static final int TYPE_BLOCK_DEVICE = 0x6000;

  public boolean isRegularFile() {
    return (mode & TYPE_MASK) == TYPE_REGULAR;
  }

  public boolean isDirectory() {
    return (mode & TYPE_MASK) == TYPE_DIRECTORY;
  }

  public boolean isBlockDevice() {
    return (mode & TYPE_MASK) == TYPE_BLOCK_DEVICE;
  }
}
