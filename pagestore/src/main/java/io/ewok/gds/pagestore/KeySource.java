package io.ewok.gds.pagestore;

/**
 * Where the keys come from that files are encrypted with: a key management service, a file, a
 * constant. What is written is encrypted under the current key; the key that a file was written
 * under is named in it, so all that are still in use must be known.
 *
 * <p>To change the key of a store: let a new one be current, and compact everything. Files that
 * were written under the old one stay readable meanwhile, as long as it is known.
 *
 * <p>Ownership: the engine's that it was given to ({@link EngineOptions#withKeys}). Threads: any,
 * several at a time. It is asked once for each file that is opened or written, and for each edit of
 * a manifest.
 *
 * {@snippet :
 * KeySource keys = new KeySource() {
 *   public int currentId() {
 *     return 2;
 *   }
 *   public byte[] key(int id) {
 *     return service.fetch("gds-" + id);
 *   }
 * };
 * EngineOptions options = EngineOptions.defaults().withKeys(keys);
 * }
 */
public interface KeySource {
  /** Length of a key in bytes. */
  int KEY_BYTES = 32;

  /** Instead of the number of a key: what is written is not encrypted. */
  int NOT_ENCRYPTED = 0;

  /** No keys: nothing is encrypted, and nothing that is can be read. */
  KeySource NONE =
      new KeySource() {
        @Override
        public int currentId() {
          return NOT_ENCRYPTED;
        }

        @Override
        public byte[] key(int id) {
          return null;
        }
      };

  /**
   * The number of the key for what is written from now on, above 0; or {@link #NOT_ENCRYPTED}. It
   * may change at any time.
   */
  int currentId();

  /**
   * Returns a key.
   *
   * @param id its number, above 0
   * @return {@link #KEY_BYTES} bytes, which the caller does not change; or null if there is no such
   *     key
   */
  byte[] key(int id);
}
