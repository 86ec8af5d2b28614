package io.ewok.gds.lsm.sst;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What a table of RocksDB says of itself; one of LevelDB says nothing, and is as if all were
 * missing.
 */
final class SstProperties {
  private static final int INDEX_PARTITIONED = 2;
  private static final int INDEX_FIRST_KEYS = 3;
  private static final String INDEX_TYPE = "rocksdb.block.based.table.index.type";
  private static final String INDEX_DELTAS = "rocksdb.index.value.is.delta.encoded";
  private static final String USER_INDEX = "rocksdb.udi.is.primary.index";
  private static final String COMPARATOR = "rocksdb.comparator";
  private static final String COMPRESSION = "rocksdb.compression";
  private static final String EXTERNAL_VERSION = "rocksdb.external_sst_file.version";
  private static final String GLOBAL_SEQUENCE = "rocksdb.external_sst_file.global_seqno";

  /** What is kept, however much a table says. */
  private static final Set<String> KNOWN =
      Set.of(
          INDEX_TYPE,
          INDEX_DELTAS,
          USER_INDEX,
          COMPARATOR,
          COMPRESSION,
          EXTERNAL_VERSION,
          GLOBAL_SEQUENCE);

  private static final String OWN_COMPRESSION = "BuiltinV2";

  private final Map<String, ByteReader> values = new HashMap<>();
  private int globalSequenceOffset = -1;

  static SstProperties none() {
    return new SstProperties();
  }

  static SstProperties read(ByteReader block) throws IOException {
    SstProperties properties = new SstProperties();
    BlockCursor entries = new BlockCursor(block, false);
    while (entries.next()) {
      String name = SstFormat.text(entries.copyKey());
      if (KNOWN.contains(name)) {
        properties.values.put(name, entries.value());
      }
      if (name.equals(GLOBAL_SEQUENCE) && entries.value().remaining() == Long.BYTES) {
        properties.globalSequenceOffset = entries.valueOffset();
      }
    }
    return properties;
  }

  /** Where in its block the sequence number is that RocksDB changes in place; -1 if nowhere. */
  int globalSequenceOffset() {
    return globalSequenceOffset;
  }

  boolean indexIsPartitioned() throws IOException {
    return indexType() == INDEX_PARTITIONED;
  }

  boolean indexHasFirstKeys() throws IOException {
    return indexType() == INDEX_FIRST_KEYS;
  }

  /** Whether values of the index are told as differences. */
  boolean indexHasDeltas() throws IOException {
    ByteReader value = value(INDEX_DELTAS);
    return value != null && value.varint() != 0;
  }

  private int indexType() throws IOException {
    ByteReader value = value(INDEX_TYPE);
    int type = value == null ? 0 : value.u32();
    if (type < 0 || type > INDEX_FIRST_KEYS) {
      throw value.unsupported("the index of a table is not read here: type=" + type);
    }
    return type;
  }

  /** Refuses what gives bytes another meaning than they have in a store. */
  void requireSupported(SstFile file, int version) throws IOException {
    requireComparator(file);
    ByteReader own = value(USER_INDEX);
    if (own != null && own.varint() != 0) {
      throw own.unsupported("a table has an index of the user's");
    }
    ByteReader compression = value(COMPRESSION);
    if (version >= 7 && compression != null) {
      String name = text(compression).split(";", 2)[0];
      if (!name.isEmpty() && !name.equals(OWN_COMPRESSION)) {
        throw compression.unsupported("a table is compressed in a way of the user's: name=" + name);
      }
    }
  }

  private void requireComparator(SstFile file) throws IOException {
    ByteReader value = value(COMPARATOR);
    if (value != null) {
      UnsupportedContentException.requireBytewise(file.path(), text(value));
    }
  }

  /**
   * The sequence number of all records of a table that RocksDB took over from elsewhere, or -1: of
   * a table whose records have their own.
   *
   * @param manifestSequence the newest in the table, as the manifest says; -1 without one
   */
  long globalSequence(long manifestSequence) throws IOException {
    ByteReader version = value(EXTERNAL_VERSION);
    ByteReader stored = value(GLOBAL_SEQUENCE);
    if (version == null || version.u32() < 2) {
      return -1;
    }
    long sequence = stored == null ? 0 : stored.u64();
    if (sequence < 0 || sequence > SstFormat.SEQUENCE_MAX) {
      throw version.corrupt("a sequence number", sequence);
    }
    return sequence == 0 && manifestSequence >= 0 ? manifestSequence : sequence;
  }

  private ByteReader value(String name) {
    ByteReader value = values.get(name);
    return value == null ? null : value.to(value.limit());
  }

  private static String text(ByteReader value) {
    return SstFormat.text(value.rest());
  }
}
