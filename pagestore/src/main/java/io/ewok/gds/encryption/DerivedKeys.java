package io.ewok.gds.encryption;

import io.ewok.gds.pagestore.KeySource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The keys of one file that has more than one {@link FileKey}: for each master key another one,
 * derived from it and a salt of the file. The master keys are asked for once, and not kept.
 *
 * <p>Threads: any.
 */
public final class DerivedKeys implements KeySource {
  private final KeySource keys;
  private final byte[] salt;
  private final String purpose;
  private final Map<Integer, byte[]> derived = new ConcurrentHashMap<>();

  /**
   * Keys that are derived when they are needed.
   *
   * @param salt random, the file's; see {@link FileKey#randomSalt}
   * @param purpose what the file is
   */
  public DerivedKeys(KeySource keys, byte[] salt, String purpose) {
    this.keys = keys;
    this.salt = salt.clone();
    this.purpose = purpose;
  }

  @Override
  public int currentId() {
    return keys.currentId();
  }

  @Override
  public byte[] key(int id) {
    byte[] known = derived.get(id);
    if (known != null) {
      return known;
    }
    byte[] master = keys.key(id);
    if (master == null || master.length != KEY_BYTES) {
      return master; // whoever has asked says what is wrong with it
    }
    byte[] key = FileKey.expand(master, salt, purpose, KEY_BYTES);
    derived.put(id, key);
    return key;
  }

  @Override
  public boolean readsPlain() {
    return keys.readsPlain();
  }
}
