package io.ewok.gds.lsm.table;

import io.airlift.compress.v3.zstd.ZstdNativeCompressor;
import io.airlift.compress.v3.zstd.ZstdNativeDecompressor;
import java.lang.foreign.MemorySegment;

/** The codec of a library that need not be there: nothing else refers to its classes. */
final class ZstdCodec implements Codec {
  private final ZstdNativeCompressor compressor = new ZstdNativeCompressor();
  private final ZstdNativeDecompressor decompressor = new ZstdNativeDecompressor();

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
