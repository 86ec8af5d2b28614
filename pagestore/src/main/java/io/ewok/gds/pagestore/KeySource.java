package io.ewok.gds.pagestore;

/**
 * Where the keys come from that files are encrypted with: a key management service, a file, a
 * constant. What is written is encrypted under the current key; the key that a file was written
 * under is named in it, so all that are still in use must be known.
 *
 * <p>To change the key of a store: let a new one be current, and compact every family. Files that
 * were written under the old one stay readable meanwhile, as long as it is known. To encrypt a
 * store that is not, do the same, and when that is done {@linkplain #readsPlain read nothing else}.
 * A page file is encrypted if there is a current key when it is created, and stays what it is; its
 * pages are written under the key that was current when it was opened, and all anew if its owner
 * wants that ({@code CachedPageFile.reseal}).
 *
 * <p>Ownership: the engine's that it was given to ({@link EngineOptions#withKeys}). Threads: any,
 * several at a time. It is asked once for each file that is opened or written, and for each edit of
 * a manifest. Of a page file, keys that only some pages are under are asked for when the first of
 * these is read, perhaps on the thread of a reactor: a source that has to ask elsewhere keeps what
 * it was told.
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

  /**
   * Whether what is not encrypted is read, too. A store that was written before it was encrypted
   * needs that until all of it was written anew, see {@link #currentId}; from then on false is
   * better. Without that, who may write the files of a store can put some in the place of encrypted
   * ones that are not, and need no key to say in them what he wants.
   *
   * <p>If this is false, tables, value files, manifests, backups, page files, records of logs and
   * archives of these that are not encrypted are refused with {@link PlainFileException}. Files
   * that are never encrypted are read all the same. Without a current key nothing can be written
   * then: a store is only opened to be read. Default: true.
   */
  default boolean readsPlain() {
    return true;
  }
}
