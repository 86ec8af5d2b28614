package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;

/**
 * The last bytes of a table, which say how the others are to be read.
 *
 * <table>
 * <caption>Footer: 48 bytes in version 0, which LevelDB writes, 53 in all others</caption>
 * <tr><td>checksum</td><td>u8, how blocks are checked; not in version 0, which has CRC32C</td></tr>
 * <tr><td>handles</td><td>40 bytes, up to version 5: of the meta index and of the index, then zeros</td></tr>
 * <tr><td></td><td>40 bytes, from version 6 on: {@link #EXTENDED_MAGIC}; checksum of the footer
 * with zeros in this place, u32; context, u32; size of the meta index, u32, which is the block
 * before the footer; zeros</td></tr>
 * <tr><td>version</td><td>u32; not in version 0</td></tr>
 * <tr><td>magic</td><td>u64</td></tr>
 * </table>
 *
 * @param context what checksums depend on besides their place, against blocks of other files; 0
 *     before version 6: they depend on neither
 * @param indexOrNull null from version 6 on, where the meta index has it
 * @param offset where the footer starts, and blocks end
 */
record SstFooter(
    int version,
    BlockChecksum checksum,
    int context,
    BlockHandle metaIndex,
    BlockHandle indexOrNull,
    long offset) {
  private static final int EXTENDED_MAGIC = 0x007A_003E;
  private static final int HANDLES_BYTES = 40;
  private static final int LEGACY_BYTES = HANDLES_BYTES + Long.BYTES;
  private static final int BYTES = 1 + HANDLES_BYTES + Integer.BYTES + Long.BYTES;
  private static final int HANDLES_OFFSET = 1;
  private static final int CHECKSUM_OFFSET = HANDLES_OFFSET + Integer.BYTES;
  private static final int RESERVED_OFFSET = HANDLES_OFFSET + HANDLES_BYTES - Long.BYTES;
  private static final int VERSION_OFFSET = HANDLES_OFFSET + HANDLES_BYTES;

  private static final long PLAIN_MAGIC = 0x8242_2296_63BF_9564L;
  private static final long LEGACY_PLAIN_MAGIC = 0x4F34_18EB_7A8F_13B8L;
  private static final long CUCKOO_MAGIC = 0x9267_89D0_C5F1_7873L;

  static SstFooter read(SstFile file) throws IOException {
    if (file.sizeBytes() < LEGACY_BYTES) {
      throw new CorruptFileException(
          file.path(), 0, "a table of RocksDB or LevelDB", file.sizeBytes() + " bytes");
    }
    long magicOffset = file.sizeBytes() - Long.BYTES;
    long magic = (long) SstFormat.U64.get(file.read(magicOffset, Long.BYTES), 0);
    if (magic == SstFormat.LEGACY_MAGIC) {
      long offset = file.sizeBytes() - LEGACY_BYTES;
      ByteReader in =
          new ByteReader(file.path(), offset, file.read(offset, HANDLES_BYTES), 0, HANDLES_BYTES);
      return new SstFooter(
          0, BlockChecksum.CRC32C, 0, BlockHandle.read(in), BlockHandle.read(in), offset);
    }
    if (magic == PLAIN_MAGIC || magic == LEGACY_PLAIN_MAGIC || magic == CUCKOO_MAGIC) {
      throw new UnsupportedContentException(
          file.path(), "a table is read in the block-based format only, not plain or cuckoo");
    }
    if (magic != SstFormat.MAGIC) {
      throw new CorruptFileException(
          file.path(),
          magicOffset,
          "the end of a table of RocksDB or LevelDB",
          "%#x".formatted(magic));
    }
    long offset = file.sizeBytes() - BYTES;
    byte[] bytes = file.read(offset, BYTES);
    ByteReader in = new ByteReader(file.path(), offset, bytes, 0, BYTES);
    int version = (int) SstFormat.U32.get(bytes, VERSION_OFFSET);
    if (version < 1 || version > SstFormat.VERSION_MAX) {
      throw in.unsupported(
          "the version of a table is not read here: version=%s max=%d"
              .formatted(Integer.toUnsignedString(version), SstFormat.VERSION_MAX));
    }
    int number = in.u8();
    BlockChecksum kind = BlockChecksum.ofNumber(number);
    if (kind == null) {
      throw in.unsupported("the checksum of a table is not known here: checksum=" + number);
    }
    return version < 6
        ? new SstFooter(version, kind, 0, BlockHandle.read(in), BlockHandle.read(in), offset)
        : readExtended(version, kind, in, offset);
  }

  private static SstFooter readExtended(
      int version, BlockChecksum checksum, ByteReader in, long offset) throws IOException {
    int magic = in.u32();
    int stored = in.u32();
    int context = in.u32();
    int metaIndexBytes = in.u32();
    if (magic != EXTENDED_MAGIC) {
      throw in.corrupt("%#x".formatted(EXTENDED_MAGIC), "%#x".formatted(magic));
    }
    byte[] bytes = in.bytes();
    SstFormat.U32.set(bytes, CHECKSUM_OFFSET, 0);
    int computed = checksum.of(bytes, bytes.length) + modifier(context, offset);
    if (stored != computed) {
      throw in.corrupt("checksum %#x".formatted(computed), "%#x".formatted(stored));
    }
    if ((long) SstFormat.U64.get(bytes, RESERVED_OFFSET) != 0) {
      throw in.unsupported("a table has a feature that is not read here");
    }
    long size = Integer.toUnsignedLong(metaIndexBytes);
    BlockHandle metaIndex = new BlockHandle(offset - SstFormat.TRAILER_BYTES - size, size);
    return new SstFooter(version, checksum, context, metaIndex, null, offset);
  }

  /** The stored checksum of a block and the number of its compression. */
  int blockChecksum(byte[] bytes, int lengthBytes, long blockOffset) {
    return checksum.of(bytes, lengthBytes) + modifier(context, blockOffset);
  }

  private static int modifier(int context, long offset) {
    return context == 0 ? 0 : context ^ ((int) offset + (int) (offset >>> Integer.SIZE));
  }
}
