package io.ewok.gds.encryption;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnknownKeyException;
import io.ewok.gds.pagestore.WrongKeyException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Objects;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key of one file, derived from a master key and a random salt, which the file names in its key
 * note. Seals blocks and opens them.
 *
 * <table>
 * <caption>Key note, 24 bytes, little-endian</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>key</td><td>u32</td><td>number of the master key, above 0</td></tr>
 * <tr><td>4</td><td>check</td><td>u32</td><td>derived as the key is: tells another master key from
 * damage</td></tr>
 * <tr><td>8</td><td>salt</td><td>16 bytes</td><td>random</td></tr>
 * </table>
 *
 * <p>Threads: any, several at a time.
 */
public final class FileKey {
  /** Length of a key note in bytes. */
  public static final int NOTE_BYTES = 24;

  /** By how much a seal is longer than what is in it, in bytes. */
  public static final int TAG_BYTES = BlockCipher.TAG_BYTES;

  private static final int SALT_OFFSET = 2 * Integer.BYTES;
  private static final int SALT_BYTES = NOTE_BYTES - SALT_OFFSET;
  private static final int DERIVED_BYTES = KeySource.KEY_BYTES + Integer.BYTES;

  /** What the key is for goes into it, so that no two kinds of file ever share one. */
  private static final String INFO = "GDS file key 1 ";

  private final int id;
  private final int check;
  private final byte[] salt;
  private final SecretKey key;

  private FileKey(int id, byte[] salt, byte[] derived) {
    this.id = id;
    this.salt = salt;
    this.check =
        ByteBuffer.wrap(derived).order(ByteOrder.LITTLE_ENDIAN).getInt(KeySource.KEY_BYTES);
    this.key = new SecretKeySpec(derived, 0, KeySource.KEY_BYTES, "AES");
  }

  /**
   * Makes a key for something that is about to be written.
   *
   * @param purpose what it is: another key is derived for each
   * @return null if nothing is to be encrypted
   * @throws UnknownKeyException if the source does not have its own current key
   * @throws StorageException as {@link #currentId}
   */
  public static FileKey createOrNull(KeySource keys, String purpose, Path path)
      throws StorageException {
    int id = currentId(keys, path);
    return id == KeySource.NOT_ENCRYPTED ? null : create(keys, id, purpose, path);
  }

  /**
   * Makes a key for something that is about to be written, of a master key that is known.
   *
   * @param id number of the master key, above 0
   * @throws UnknownKeyException if the source does not have it
   */
  public static FileKey create(KeySource keys, int id, String purpose, Path path)
      throws StorageException {
    return derive(keys, id, randomSalt(SALT_BYTES), purpose, path);
  }

  /**
   * The number of the key for what is about to be written, see {@link KeySource#currentId}.
   *
   * @throws StorageException if there is none, and what is not encrypted would not be read again
   */
  public static int currentId(KeySource keys, Path path) throws StorageException {
    int id = keys.currentId();
    if (id == KeySource.NOT_ENCRYPTED && !keys.readsPlain()) {
      throw new StorageException(
          "there is no current key to write with, and only what is encrypted is to be read", path);
    }
    return id;
  }

  /**
   * Makes the key of what was written, of its key note.
   *
   * @param note {@link #NOTE_BYTES} from its position on, which moves
   * @throws CorruptFileException if it is no key note
   * @throws UnknownKeyException if the source does not have the master key
   * @throws WrongKeyException if it has another one
   */
  public static FileKey read(
      KeySource keys, ByteBuffer note, String purpose, Path path, long noteOffset)
      throws StorageException {
    ByteBuffer from = note.order(ByteOrder.LITTLE_ENDIAN);
    int id = from.getInt();
    int check = from.getInt();
    byte[] salt = new byte[SALT_BYTES];
    from.get(salt);
    if (id <= 0) {
      throw new CorruptFileException(path, noteOffset, "the number of a key", id);
    }
    FileKey key = derive(keys, id, salt, purpose, path);
    if (key.check != check) {
      throw new WrongKeyException(path, id);
    }
    return key;
  }

  /**
   * Makes a key of a salt of any length, whose check nobody compares.
   *
   * @param id number of the master key, above 0
   * @throws UnknownKeyException if the source does not have it
   * @throws IllegalArgumentException if there cannot be such a number
   */
  public static FileKey derive(KeySource keys, int id, byte[] salt, String purpose, Path path)
      throws StorageException {
    if (id <= 0) {
      throw new IllegalArgumentException("keys are numbered from 1 on: keyId=" + id);
    }
    byte[] master = keys.key(id);
    if (master == null) {
      throw new UnknownKeyException(path, id);
    }
    if (master.length != KeySource.KEY_BYTES) {
      throw new StorageException(
          "a key has %d bytes: keyId=%d bytes=%d".formatted(KeySource.KEY_BYTES, id, master.length),
          path);
    }
    return new FileKey(id, salt, expand(master, salt, purpose, DERIVED_BYTES));
  }

  /** Derives bytes of a key. */
  static byte[] expand(byte[] key, byte[] salt, String purpose, int bytes) {
    Objects.requireNonNull(purpose, "purpose");
    try {
      HKDFParameterSpec spec =
          HKDFParameterSpec.ofExtract()
              .addIKM(key)
              .addSalt(salt)
              .thenExpand((INFO + purpose).getBytes(StandardCharsets.US_ASCII), bytes);
      return KDF.getInstance("HKDF-SHA256").deriveData(spec);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK can do this", e);
    }
  }

  /**
   * Reads on in something that is not encrypted, if that is allowed.
   *
   * @throws PlainFileException if it is not
   */
  public static void acceptPlain(KeySource keys, Path path) throws PlainFileException {
    if (!keys.readsPlain()) {
      throw new PlainFileException(path);
    }
  }

  /** A salt that nobody has had. */
  public static byte[] randomSalt(int bytes) {
    byte[] salt = new byte[bytes];
    Randomness.SOURCE.nextBytes(salt);
    return salt;
  }

  /** Made when something is encrypted first. */
  private static final class Randomness {
    static final SecureRandom SOURCE = new SecureRandom();
  }

  /** The number of the master key. */
  public int id() {
    return id;
  }

  /** Puts the key note. */
  public void putNote(ByteBuffer to) {
    to.order(ByteOrder.LITTLE_ENDIAN).putInt(id).putInt(check).put(salt);
  }

  /**
   * Seals bytes: {@link #TAG_BYTES} more come out.
   *
   * @param place the nonce: nothing else is ever sealed there with this key
   * @param context what opening must say again: who the bytes belong to
   * @param from address of the bytes
   * @param to address of what comes out; may be {@code from}, and does not overlap it otherwise
   * @param tag address of the tag
   */
  public void seal(long place, long context, long from, int lengthBytes, long to, long tag) {
    seal(place, context, 0, 0, from, lengthBytes, to, tag);
  }

  /**
   * Seals bytes, and with them a head that stays plain: opening finds if it was changed.
   *
   * @param head its address
   * @param headBytes its length, at most {@link #headBytesMax}
   */
  public void seal(
      long place,
      long context,
      long head,
      int headBytes,
      long from,
      int lengthBytes,
      long to,
      long tag) {
    BlockCipher cipher = BlockCiphers.take();
    try {
      cipher.seal(key, place, context, head, headBytes, from, lengthBytes, to, tag);
    } finally {
      BlockCiphers.giveBack(cipher);
    }
  }

  /**
   * Opens what {@link #seal} made at the same place.
   *
   * @param to address of the bytes; may be {@code from}, and does not overlap it otherwise
   * @param tag address of the tag
   * @return false if it is something else; what is at {@code to} is not to be used then
   */
  public boolean open(long place, long context, long from, int lengthBytes, long to, long tag) {
    return open(place, context, 0, 0, from, lengthBytes, to, tag);
  }

  /** Opens what was sealed with a head at the same place. */
  public boolean open(
      long place,
      long context,
      long head,
      int headBytes,
      long from,
      int lengthBytes,
      long to,
      long tag) {
    BlockCipher cipher = BlockCiphers.take();
    try {
      return cipher.open(key, place, context, head, headBytes, from, lengthBytes, to, tag);
    } finally {
      BlockCiphers.giveBack(cipher);
    }
  }

  /** The longest head, in bytes. */
  public static int headBytesMax() {
    return BlockCipher.HEAD_BYTES_MAX;
  }

  /**
   * Starts to seal bytes that come in pieces, see {@link #seal}.
   *
   * @param cipher the caller's own, which gets the pieces
   */
  public void begin(BlockCipher cipher, long place, long context) {
    cipher.begin(key, place, context);
  }
}
