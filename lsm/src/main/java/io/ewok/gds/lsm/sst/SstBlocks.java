package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;

/**
 * Reads the blocks of one table: within bounds, checked and decompressed.
 *
 * <p>Confined to one thread; the file is its owner's.
 */
final class SstBlocks {
  private final SstFile file;
  private final SstFooter footer;
  private long bytesRead;

  SstBlocks(SstFile file, SstFooter footer) {
    this.file = file;
    this.footer = footer;
  }

  /** Bytes of the file that were read so far. */
  long bytesRead() {
    return bytesRead;
  }

  /** What does not fit at an offset of the file. */
  CorruptFileException corrupt(long offset, Object expected, Object actual) {
    return new CorruptFileException(file.path(), offset, expected, actual);
  }

  /** Returns the content of a block. */
  ByteReader read(BlockHandle handle) throws IOException {
    ByteReader raw = readRaw(handle);
    if (!isSound(raw, handle)) {
      throw damaged(raw);
    }
    return content(raw, handle);
  }

  /**
   * Returns the properties. RocksDB may change the sequence number in them, when it takes over a
   * file, without a new checksum: the checksum is that of the block with zeros there.
   */
  SstProperties readProperties(BlockHandle handle) throws IOException {
    ByteReader raw = readRaw(handle);
    boolean sound = isSound(raw, handle);
    SstProperties properties;
    try {
      properties = SstProperties.read(content(raw, handle));
    } catch (IOException e) {
      throw sound ? e : damaged(raw);
    }
    if (!sound) {
      int at = properties.globalSequenceOffset();
      boolean compressed = raw.bytes()[(int) handle.sizeBytes()] != 0;
      if (at < 0 || compressed) {
        throw damaged(raw);
      }
      SstFormat.U64.set(raw.bytes(), at, 0L);
      if (!isSound(raw, handle)) {
        throw damaged(raw);
      }
    }
    return properties;
  }

  /** The block with its trailer. */
  private ByteReader readRaw(BlockHandle handle) throws IOException {
    long offset = handle.offset();
    long room = footer.offset() - SstFormat.TRAILER_BYTES - offset;
    if (offset < 0 || handle.sizeBytes() < 0 || handle.sizeBytes() > room) {
      throw corrupt(footer.offset(), "a block before the footer", handle);
    }
    byte[] bytes = file.read(offset, handle.sizeBytes() + SstFormat.TRAILER_BYTES);
    bytesRead += bytes.length;
    return new ByteReader(file.path(), offset, bytes, 0, bytes.length);
  }

  private boolean isSound(ByteReader raw, BlockHandle handle) {
    int checked = (int) handle.sizeBytes() + 1;
    return footer.checksum() == BlockChecksum.NONE
        || (int) SstFormat.U32.get(raw.bytes(), checked)
            == footer.blockChecksum(raw.bytes(), checked, handle.offset());
  }

  private IOException damaged(ByteReader raw) {
    return raw.corrupt("a block with the right checksum", footer.checksum() + " differs");
  }

  private ByteReader content(ByteReader raw, BlockHandle handle) throws IOException {
    int size = (int) handle.sizeBytes();
    int compression = raw.bytes()[size] & 0xFF;
    ByteReader stored = raw.to(size);
    return compression == 0
        ? stored
        : BlockDecompressor.decompress(file, handle, footer.version(), compression, stored);
  }
}
