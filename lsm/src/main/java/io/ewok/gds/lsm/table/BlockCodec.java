package io.ewok.gds.lsm.table;

import io.ewok.gds.lsm.Compression;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Compresses and decompresses blocks in one way. */
interface BlockCodec {
  /** The most that this many bytes become. */
  int compressedBytesMax(int lengthBytes);

  /**
   * Compresses. One thread at a time.
   *
   * @return how many bytes it made
   */
  int compress(MemorySegment source, MemorySegment target);

  /**
   * Decompresses. Any thread, several at a time.
   *
   * @return how many bytes it made
   * @throws IllegalArgumentException if the source is not what {@link #compress} makes, or makes
   *     more than fits into the target; the target holds anything then
   */
  int decompress(MemorySegment source, MemorySegment target);

  /** The number of a compression in files. */
  static int number(Compression compression) {
    return switch (compression) {
      case NONE -> 0;
      case LZ4 -> 1;
      case ZSTD -> 2;
    };
  }

  /** The compression of a number in a file, or null if there is none. */
  static Compression compression(int number) {
    return switch (number) {
      case 0 -> Compression.NONE;
      case 1 -> Compression.LZ4;
      case 2 -> Compression.ZSTD;
      default -> null;
    };
  }

  /**
   * A new codec for a compression; null for none.
   *
   * @throws IllegalStateException if its library is missing, or cannot be used here
   */
  static BlockCodec of(Compression compression) {
    if (compression == Compression.NONE) {
      return null;
    }
    try {
      return compression == Compression.LZ4 ? LibraryCodec.lz4() : LibraryCodec.zstd();
    } catch (LinkageError | RuntimeException e) {
      throw new IllegalStateException(
          "the library io.airlift:aircompressor-v3 is needed, with native access"
              + " (--enable-native-access=ALL-UNNAMED, or aircompressor.v3 of the module path):"
              + " compression="
              + compression,
          e);
    }
  }

  /** As {@link #of}: one that all who decompress may use, and nobody compresses with. */
  static BlockCodec shared(Compression compression) {
    BlockCodec shared = Shared.CODECS.get(number(compression));
    if (shared == null && compression != Compression.NONE) {
      shared = of(compression);
      Shared.CODECS.set(number(compression), shared);
    }
    return shared;
  }

  /** Where they are kept. */
  final class Shared {
    private static final AtomicReferenceArray<BlockCodec> CODECS =
        new AtomicReferenceArray<>(Compression.values().length);

    private Shared() {}
  }
}
