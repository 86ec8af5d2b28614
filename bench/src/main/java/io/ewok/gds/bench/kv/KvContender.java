package io.ewok.gds.bench.kv;

import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.nio.file.Path;

/** Whose store. */
public enum KvContender {
  /** Ours. */
  GDS("store") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      return new GdsKvStore(
          directory, settings, KvSettings.SEPARATED_VALUE_BYTES, 0, StoreOptions.defaults());
    }
  },

  /** Ours, without value files. */
  GDS_INLINE("not separated") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      return new GdsKvStore(directory, settings, 0, 0, StoreOptions.defaults());
    }
  },

  /** Ours, encrypted. */
  GDS_ENCRYPTED("encrypted") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      EngineOptions engine = EngineOptions.defaults().withKeys(KEYS);
      StoreOptions base = StoreOptions.defaults().withEngine(engine);
      return new GdsKvStore(directory, settings, KvSettings.SEPARATED_VALUE_BYTES, 0, base);
    }
  },

  /** Ours, with an archive of its log. */
  GDS_ARCHIVED("archived") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      StoreOptions base = StoreOptions.defaults().withArchive(directory.resolve("archive"));
      return new GdsKvStore(directory, settings, KvSettings.SEPARATED_VALUE_BYTES, 0, base);
    }
  },

  /** Ours, with half of the memory for blocks as a cache of single records. */
  GDS_RECORDS("record cache") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      return new GdsKvStore(
          directory,
          settings,
          KvSettings.SEPARATED_VALUE_BYTES,
          settings.poolBytes() / 2,
          StoreOptions.defaults());
    }
  },

  /** RocksDB through rocksdbjni. */
  ROCKSDB("RocksDB") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      return new RocksKvStore(directory, settings, false);
    }
  },

  /** The same with long values in blob files. */
  BLOBDB("BlobDB") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) throws IOException {
      return new RocksKvStore(directory, settings, true);
    }
  },

  /** LMDB through lmdbjava. */
  LMDB("LMDB") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) {
      return new LmdbKvStore(directory, settings);
    }
  },

  /** Keeps nothing: what is left is the cost of the workload itself. */
  EMPTY("empty store") {
    @Override
    KvStore open(Path directory, KvSettings settings, KvData data) {
      return new EmptyKvStore(data);
    }
  };

  /** One key, which nobody has to keep secret. */
  private static final KeySource KEYS =
      new KeySource() {
        @Override
        public int currentId() {
          return 1;
        }

        @Override
        public byte[] key(int id) {
          return id == 1 ? new byte[KEY_BYTES] : null;
        }
      };

  private final String label;

  KvContender(String label) {
    this.label = label;
  }

  /** Returns its name in reports. */
  public String label() {
    return label;
  }

  /** Opens a store in an empty directory. */
  abstract KvStore open(Path directory, KvSettings settings, KvData data) throws IOException;
}
