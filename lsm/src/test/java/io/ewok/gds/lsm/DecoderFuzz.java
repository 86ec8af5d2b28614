package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.HostileTable;

/**
 * What a fuzzer calls for the decoders of bytes from disk: each input is a kind of file and changes
 * of a sound one, with checksums that are right. It must be refused or be read, and nothing else.
 */
public final class DecoderFuzz {
  /** What is changed. */
  enum Kind {
    MANIFEST,
    BATCH,
    TABLE,
    LZ4_TABLE,
    ZSTD_TABLE,
    RANGES_TABLE
  }

  private final HostileManifest manifest = new HostileManifest();
  private final HostileBatch batch = new HostileBatch();
  private final HostileTable table = new HostileTable(Compression.NONE, 0);
  private final HostileTable lz4 = new HostileTable(Compression.LZ4, 0);
  private final HostileTable zstd = new HostileTable(Compression.ZSTD, 0);
  private final HostileTable ranges = new HostileTable(Compression.NONE, 300);

  DecoderFuzz() throws Exception {}

  /** Reads what an input makes. Returns whether it was refused. */
  boolean isRefused(byte[] input) throws Exception {
    if (input.length == 0) {
      return true;
    }
    Kind[] kinds = Kind.values();
    return switch (kinds[Byte.toUnsignedInt(input[0]) % kinds.length]) {
      case MANIFEST -> manifest.isRefused(input, 1);
      case BATCH -> batch.isRefused(input, 1);
      case TABLE -> table.isRefused(input, 1);
      case LZ4_TABLE -> lz4.isRefused(input, 1);
      case ZSTD_TABLE -> zstd.isRefused(input, 1);
      case RANGES_TABLE -> ranges.isRefused(input, 1);
    };
  }

  /** Of one fuzzer's process. */
  private static final class Only {
    static final DecoderFuzz FUZZ = create();

    private static DecoderFuzz create() {
      try {
        return new DecoderFuzz();
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  /** The name that Jazzer looks for. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    boolean unused = Only.FUZZ.isRefused(input);
  }
}
