package io.ewok.gds.lsm.sst;

import io.airlift.compress.v3.Decompressor;
import io.airlift.compress.v3.lz4.Lz4NativeDecompressor;
import io.airlift.compress.v3.snappy.SnappyNativeDecompressor;
import io.airlift.compress.v3.zstd.ZstdNativeDecompressor;
import java.io.IOException;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decompresses blocks. Before the compressed bytes comes the size of the block, a varint; but in
 * the first two versions of the format 8 bytes for LZ4. Snappy, and the zstd of LevelDB, say it
 * themselves.
 */
final class BlockDecompressor {
  private static final int SNAPPY = 1;
  private static final int ZLIB_OR_LEVELDB_ZSTD = 2;
  private static final int LZ4 = 4;
  private static final int LZ4HC = 5;
  private static final int ZSTD = 7;
  private static final int ZSTD_FRAME_MAGIC = 0xFD2F_B528;

  private BlockDecompressor() {}

  /**
   * Returns the content of a block.
   *
   * @param in the compressed block
   * @throws IllegalStateException if it needs a library that is not there
   */
  static ByteReader decompress(
      SstFile file, BlockHandle handle, int version, int compression, ByteReader in)
      throws IOException {
    int start = in.position();
    long size =
        switch (compression) {
          case SNAPPY -> in.varint();
          case LZ4, LZ4HC -> version < 2 ? in.u64() : in.varint();
          case ZSTD -> in.varint();
          case ZLIB_OR_LEVELDB_ZSTD ->
              version == 0 ? levelDbZstdSize(in) : version == 1 ? -1 : in.varint();
          default -> -1;
        };
    if (size == -1) {
      throw in.unsupported(
          "the compression of a block is not read here: compression=" + name(compression));
    }
    int from = compression == SNAPPY ? start : in.position();
    byte[] content = file.allocate(handle.offset(), size);
    int length;
    try {
      length =
          compression == ZLIB_OR_LEVELDB_ZSTD && version > 0
              ? inflate(in.bytes(), from, in.limit() - from, content)
              : Library.decompress(compression, in.bytes(), from, in.limit() - from, content);
    } catch (LinkageError e) {
      throw libraryMissing("compression=" + name(compression), e);
    } catch (DataFormatException | RuntimeException e) {
      // The library has several unchecked exceptions for one thing: these bytes are not its own.
      IOException corrupt =
          in.corrupt("a block compressed with " + name(compression), e.getMessage());
      corrupt.addSuppressed(e);
      throw corrupt;
    }
    if (length != size) {
      throw in.corrupt("a block of " + size + " bytes", length);
    }
    return new ByteReader(file.path(), handle.offset(), content, 0, length);
  }

  static IllegalStateException libraryMissing(String what, Throwable cause) {
    return new IllegalStateException(
        "the library io.airlift:aircompressor-v3 is needed, with native access"
            + " (--enable-native-access=ALL-UNNAMED, or aircompressor.v3 of the module path): "
            + what,
        cause);
  }

  private static String name(int compression) {
    return switch (compression) {
      case SNAPPY -> "Snappy";
      case ZLIB_OR_LEVELDB_ZSTD -> "zlib";
      case 3 -> "BZip2";
      case LZ4, LZ4HC -> "LZ4";
      case 6 -> "Xpress";
      case ZSTD -> "zstd";
      default -> "number " + compression;
    };
  }

  /** What a frame of zstd says of its content, or -1 if this is something else. */
  private static long levelDbZstdSize(ByteReader in) throws IOException {
    ByteReader frame = in.to(in.limit());
    if (frame.remaining() < Integer.BYTES || frame.u32() != ZSTD_FRAME_MAGIC) {
      return -1;
    }
    try {
      return Math.max(0, Library.zstdSize(in.bytes(), in.position(), in.remaining()));
    } catch (LinkageError e) {
      throw libraryMissing("compression=zstd", e);
    } catch (RuntimeException e) {
      IOException corrupt = in.corrupt("a frame of zstd", e.getMessage());
      corrupt.addSuppressed(e);
      throw corrupt;
    }
  }

  /** RocksDB's zlib is the raw format, without a header. */
  private static int inflate(byte[] source, int from, int length, byte[] target)
      throws DataFormatException {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(source, from, length);
      int made = 0;
      int more = 1;
      while (made < target.length && more > 0) {
        more = inflater.inflate(target, made, target.length - made);
        made += more;
      }
      return made;
    } finally {
      inflater.end();
    }
  }

  /** Nothing else of this class refers to the library, which need not be there. */
  private static final class Library {
    private static final Decompressor SNAPPY_CODEC = new SnappyNativeDecompressor();
    private static final Decompressor LZ4_CODEC = new Lz4NativeDecompressor();
    private static final ZstdNativeDecompressor ZSTD_CODEC = new ZstdNativeDecompressor();

    private Library() {}

    static int decompress(int compression, byte[] source, int from, int length, byte[] target) {
      Decompressor codec =
          switch (compression) {
            case SNAPPY -> SNAPPY_CODEC;
            case LZ4, LZ4HC -> LZ4_CODEC;
            default -> ZSTD_CODEC;
          };
      return codec.decompress(source, from, length, target, 0, target.length);
    }

    static long zstdSize(byte[] source, int from, int length) {
      return ZSTD_CODEC.getDecompressedSize(source, from, length);
    }
  }
}
