package io.ewok.gds.lsm.sst;

import io.airlift.compress.v3.xxhash.XxHash32Hasher;
import io.airlift.compress.v3.xxhash.XxHash3Native;
import io.airlift.compress.v3.xxhash.XxHash64Hasher;
import java.util.zip.CRC32C;

/** How the blocks of a table are checked. */
enum BlockChecksum {
  NONE,
  CRC32C,
  XXHASH,
  XXHASH64,
  XXH3;

  /** By which XXH3 mixes the last byte, which comes from another place when it is written. */
  private static final int LAST_BYTE_FACTOR = 0x6B90_83D9;

  /** The one with this number in a footer; null if there is none. */
  static BlockChecksum ofNumber(int number) {
    return switch (number) {
      case 0 -> NONE;
      case 1 -> CRC32C;
      case 2 -> XXHASH;
      case 3 -> XXHASH64;
      case 4 -> XXH3;
      default -> null;
    };
  }

  /**
   * The stored form of the checksum of the first bytes of an array, at least one.
   *
   * @throws IllegalStateException if it needs a library that is not there
   */
  int of(byte[] bytes, int lengthBytes) {
    return switch (this) {
      case NONE -> 0;
      case CRC32C -> {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, lengthBytes);
        yield SstFormat.masked((int) crc.getValue());
      }
      case XXHASH, XXHASH64, XXH3 -> {
        try {
          yield Library.of(this, bytes, lengthBytes);
        } catch (LinkageError e) {
          throw BlockDecompressor.libraryMissing("checksum=" + this, e);
        }
      }
    };
  }

  /** Nothing else of this class refers to the library, which need not be there. */
  private static final class Library {
    private Library() {}

    static int of(BlockChecksum checksum, byte[] bytes, int lengthBytes) {
      return switch (checksum) {
        case XXHASH -> XxHash32Hasher.hash(bytes, 0, lengthBytes);
        case XXHASH64 -> (int) XxHash64Hasher.hash(bytes, 0, lengthBytes);
        default ->
            (int) XxHash3Native.hash(bytes, 0, lengthBytes - 1)
                ^ (bytes[lengthBytes - 1] & 0xFF) * LAST_BYTE_FACTOR;
      };
    }
  }
}
