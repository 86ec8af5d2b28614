package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A file of another program's, open for reading.
 *
 * <p>It is read through the JDK, not an I/O engine: it is read once and in order, and as likely as
 * not lies in the page cache of the system, which direct I/O would pass by.
 *
 * <p>Confined to one thread; whoever opened it closes it.
 */
final class SstFile implements Closeable {
  private final Path path;
  private final FileChannel channel;
  private final long sizeBytes;

  SstFile(Path path) throws IOException {
    this.path = path;
    this.channel = FileChannel.open(path);
    try {
      this.sizeBytes = channel.size();
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  Path path() {
    return path;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  byte[] read(long offset, long lengthBytes) throws IOException {
    if (offset < 0 || lengthBytes > sizeBytes - offset) {
      throw new CorruptFileException(path, offset, lengthBytes + " bytes", "a shorter file");
    }
    byte[] bytes = allocate(offset, lengthBytes);
    readInto(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }

  private void readInto(ByteBuffer target, long offset) throws IOException {
    while (target.hasRemaining()) {
      if (channel.read(target, offset + target.position()) < 0) {
        throw new CorruptFileException(path, offset, target.limit() + " bytes", "a shorter file");
      }
    }
  }

  /**
   * An array for what lies at an offset of this file, whose size nobody but the file vouches for.
   */
  byte[] allocate(long offset, long lengthBytes) throws IOException {
    if (lengthBytes < 0 || lengthBytes > SstFormat.BLOCK_BYTES_MAX) {
      throw tooLarge(offset, lengthBytes);
    }
    try {
      return new byte[(int) lengthBytes];
    } catch (OutOfMemoryError e) {
      // Nothing has happened yet: what does not fit is this array, which a file asks for.
      throw tooLarge(offset, lengthBytes);
    }
  }

  private IOException tooLarge(long offset, long lengthBytes) {
    return new UnsupportedContentException(
        path,
        "this is too large to be read, more Java heap may help: offset=%d bytes=%s max=%d"
            .formatted(offset, Long.toUnsignedString(lengthBytes), SstFormat.BLOCK_BYTES_MAX));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
