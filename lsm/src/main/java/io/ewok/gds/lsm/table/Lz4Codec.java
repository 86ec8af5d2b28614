package io.ewok.gds.lsm.table;

import io.airlift.compress.v3.lz4.Lz4NativeCompressor;
import io.airlift.compress.v3.lz4.Lz4NativeDecompressor;
import java.lang.foreign.MemorySegment;

/** The codec of a library that need not be there: nothing else refers to its classes. */
final class Lz4Codec implements Codec {
  private final Lz4NativeCompressor compressor = new Lz4NativeCompressor();
  private final Lz4NativeDecompressor decompressor = new Lz4NativeDecompressor();

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
