package io.ewok.gds.lsm.table;

import io.airlift.compress.v3.Compressor;
import io.airlift.compress.v3.Decompressor;
import io.airlift.compress.v3.lz4.Lz4NativeCompressor;
import io.airlift.compress.v3.lz4.Lz4NativeDecompressor;
import io.airlift.compress.v3.zstd.ZstdNativeCompressor;
import io.airlift.compress.v3.zstd.ZstdNativeDecompressor;
import java.lang.foreign.MemorySegment;

/** Codecs of a library that need not be there: nothing else refers to its classes. */
final class LibraryCodec implements BlockCodec {
  private final Compressor compressor;
  private final Decompressor decompressor;

  private LibraryCodec(Compressor compressor, Decompressor decompressor) {
    this.compressor = compressor;
    this.decompressor = decompressor;
  }

  static BlockCodec lz4() {
    return new LibraryCodec(new Lz4NativeCompressor(), new Lz4NativeDecompressor());
  }

  static BlockCodec zstd() {
    return new LibraryCodec(new ZstdNativeCompressor(), new ZstdNativeDecompressor());
  }

  @Override
  public int compressedBytesMax(int lengthBytes) {
    return compressor.maxCompressedLength(lengthBytes);
  }

  @Override
  public int compress(MemorySegment source, MemorySegment target) {
    return compressor.compress(source, target);
  }

  @Override
  public int decompress(MemorySegment source, MemorySegment target) {
    return decompressor.decompress(source, target);
  }
}
