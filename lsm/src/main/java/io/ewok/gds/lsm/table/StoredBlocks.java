package io.ewok.gds.lsm.table;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Compression;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;

/**
 * Puts blocks one after the other into a file, compressed where that helps, in large aligned
 * writes. See {@link TableFormat}.
 *
 * <p>Ownership: buffer and file are the caller's. Threads: confined to one.
 */
final class StoredBlocks {
  private static final int WRITE_BYTES = 256 << 10;

  /** A block that gets smaller by less than one in so many parts stays as it is. */
  private static final int WORTHWHILE_PART = 8;

  /** At most one in so many parts of a block is left empty to keep it within one page. */
  private static final int PADDING_PART = 8;

  private final Region buffer;
  private final long capacityBytes;

  private Compression compression = Compression.NONE;
  private BlockCodec codec;
  private IoFile file;
  private long number;

  /** Null if blocks are not sealed. */
  private FileKey key;

  /** Where the buffer's first byte goes in the file. */
  private long fileOffset;

  private int pendingBytes;
  private long bytesWritten;

  /**
   * Creates it.
   *
   * @param buffer with {@code capacityBytes} at its start for this
   * @param capacityBytes of {@link #capacityBytes(long)}
   */
  StoredBlocks(Region buffer, long capacityBytes) {
    this.buffer = buffer;
    this.capacityBytes = capacityBytes;
  }

  /** The memory needed for blocks of a length, in bytes. */
  static long capacityBytes(long blockBytesMax) {
    return TableFormat.padded(WRITE_BYTES + roomBytes(blockBytesMax));
  }

  /** What a block may take while it is compressed, and what is left before it. */
  private static long roomBytes(long lengthBytes) {
    return lengthBytes + lengthBytes / 128 + 3L * TableFormat.FILE_ALIGNMENT_BYTES;
  }

  /**
   * Says how blocks of entries are compressed from now on.
   *
   * @throws IllegalStateException if the library is missing
   */
  void use(Compression other) {
    if (compression != other) {
      codec = BlockCodec.of(other);
      compression = other;
    }
  }

  /** Starts a file, whose blocks are sealed if there is a key. */
  void start(IoFile file, long number, FileKey keyOrNull) {
    this.file = file;
    this.key = keyOrNull;
    this.number = number;
    fileOffset = 0;
    pendingBytes = 0;
  }

  /** Where the file ends by now. */
  long offset() {
    return fileOffset + pendingBytes;
  }

  long bytesWritten() {
    return bytesWritten;
  }

  /** Completes a block and adds it; its handle is put at an address. */
  void add(BlockBuilder block, int type, long handle) throws IOException {
    int lengthBytes = block.finish(type);
    add(block.address(), lengthBytes, handle);
  }

  /** Adds a block that lies complete at an address; its handle is put at another one. */
  void add(long block, int lengthBytes, long handle) throws IOException {
    long room = makeRoom(lengthBytes);
    int compressedBytes = compress(block, lengthBytes, room);
    if (compressedBytes == 0) {
      Memory.copy(block, room, lengthBytes);
    }
    end(room, lengthBytes, compressedBytes, handle);
  }

  /**
   * Completes a filter and adds it; its handle is put at an address.
   *
   * @return the address of the filter, until the next block is added
   */
  long add(FilterBuilder filter, long handle) throws IOException {
    int lengthBytes = filter.lengthBytes();
    if (key != null) {
      // Sealed where it is, it would be lost to the caller: it is made behind that.
      long room = makeRoom(3 * lengthBytes);
      long plain = room + 2L * lengthBytes;
      filter.finish(plain);
      Memory.copy(plain, room, lengthBytes);
      end(room, lengthBytes, 0, handle);
      return plain;
    }
    long room = makeRoom(lengthBytes);
    filter.finish(room);
    end(room, lengthBytes, 0, handle);
    return buffer.address() + pendingBytes - lengthBytes; // there may be padding before it
  }

  /** Makes room for a block behind its header. Returns the address. */
  private long makeRoom(int lengthBytes) throws IOException {
    if (pendingBytes >= WRITE_BYTES || pendingBytes + roomBytes(lengthBytes) > capacityBytes) {
      write();
    }
    int start = (int) TableFormat.alignUp(pendingBytes, TableFormat.BLOCK_ALIGNMENT_BYTES);
    padTo(start);
    return buffer.address() + start + TableFormat.STORED_HEADER_BYTES;
  }

  private void padTo(int position) {
    Memory.fill(buffer.address() + pendingBytes, position - pendingBytes, (byte) 0);
    pendingBytes = position;
  }

  /** Returns how long the block has become, or 0 if it is to be stored as it is. */
  private int compress(long block, int lengthBytes, long room) {
    if (codec == null) {
      return 0;
    }
    long roomLeft = buffer.address() + capacityBytes - room;
    int bytes = codec.compress(Memory.view(block, lengthBytes), Memory.view(room, roomLeft));
    return bytes <= lengthBytes - lengthBytes / WORTHWHILE_PART ? bytes : 0;
  }

  private void end(long room, int lengthBytes, int compressedBytes, long handle) {
    boolean compressed = compressedBytes > 0;
    int payloadBytes = compressed ? compressedBytes : lengthBytes;
    int storedBytes =
        TableFormat.STORED_HEADER_BYTES + payloadBytes + (key == null ? 0 : TableFormat.TAG_BYTES);
    int padding = padding(storedBytes);
    long stored = room - TableFormat.STORED_HEADER_BYTES;
    if (padding > 0) {
      Memory.copy(stored, stored + padding, storedBytes);
      padTo(pendingBytes + padding);
    }
    TableFormat.putHandle(handle, offset(), storedBytes, lengthBytes);
    int form = BlockCodec.number(compressed ? compression : Compression.NONE);
    if (key != null) {
      long payload = room + padding;
      key.seal(
          offset(),
          TableFormat.sealContext(lengthBytes, form),
          payload,
          payloadBytes,
          payload,
          payload + payloadBytes);
      form |= TableFormat.SEALED_BIT;
    }
    TableFormat.putStoredHeader(stored + padding, storedBytes, lengthBytes, form, number, offset());
    pendingBytes += storedBytes;
  }

  /** What is to be left out before a block so that reading it takes one page less. */
  private int padding(int storedBytes) {
    int inPage = (int) (offset() % TableFormat.FILE_ALIGNMENT_BYTES);
    int padding = TableFormat.FILE_ALIGNMENT_BYTES - inPage;
    boolean helps = TableFormat.padded(inPage + storedBytes) > TableFormat.padded(storedBytes);
    return helps && padding <= storedBytes / PADDING_PART ? padding : 0;
  }

  /** Writes what makes whole pages; the rest moves to the start of the buffer. */
  private void write() throws IOException {
    int lengthBytes = pendingBytes & -TableFormat.FILE_ALIGNMENT_BYTES;
    if (lengthBytes > 0) {
      file.write(fileOffset, buffer, 0, lengthBytes);
      fileOffset += lengthBytes;
      bytesWritten += lengthBytes;
      pendingBytes -= lengthBytes;
      Memory.copy(buffer.address() + lengthBytes, buffer.address(), pendingBytes);
    }
  }

  private void putKey(long stored, long footer) {
    long block = stored + TableFormat.STORED_HEADER_BYTES;
    Memory.putByte(block + TableFormat.TYPE_OFFSET, (byte) TableFormat.TYPE_KEY);
    key.putNote(
        Memory.view(block + TableFormat.KEY_NOTE_OFFSET, FileKey.NOTE_BYTES).asByteBuffer());
    long offset = fileOffset + TableFormat.KEY_BLOCK_OFFSET;
    key.seal(
        offset,
        0,
        footer,
        TableFormat.FOOTER_BYTES,
        block + TableFormat.KEY_FOOTER_OFFSET,
        block + TableFormat.KEY_TAG_OFFSET);
    TableFormat.putStoredHeader(
        stored,
        TableFormat.KEY_STORED_BYTES,
        TableFormat.KEY_BYTES,
        BlockCodec.number(Compression.NONE),
        number,
        offset);
  }

  /** Adds the footer and writes all that is left. Returns the length of the file in bytes. */
  long finish(TableProperties properties, int version, long rootHandle, long boundsHandle)
      throws IOException {
    padTo((int) TableFormat.padded(pendingBytes));
    write();
    long stored = buffer.address();
    Memory.fill(stored, TableFormat.FILE_ALIGNMENT_BYTES, (byte) 0);
    long footer = stored + TableFormat.STORED_HEADER_BYTES;
    properties.put(footer, number, version);
    if (key != null) {
      Memory.putInt(footer + TableFormat.TAG_LENGTH_OFFSET, TableFormat.TAG_BYTES);
    }
    Memory.copy(rootHandle, footer + TableFormat.ROOT_OFFSET, TableFormat.HANDLE_BYTES);
    Memory.copy(boundsHandle, footer + TableFormat.BOUNDS_OFFSET, TableFormat.HANDLE_BYTES);
    TableFormat.putStoredHeader(
        stored,
        TableFormat.FOOTER_STORED_BYTES,
        TableFormat.FOOTER_BYTES,
        BlockCodec.number(Compression.NONE),
        number,
        fileOffset);
    if (key != null) {
      putKey(stored + TableFormat.KEY_BLOCK_OFFSET, footer);
    }
    pendingBytes = TableFormat.FILE_ALIGNMENT_BYTES;
    write();
    return fileOffset;
  }
}
