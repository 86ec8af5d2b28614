package io.ewok.gds.wal;

import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WrongKeyException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Seals the records of one life of a log, and opens them.
 *
 * <p>The nonce of a record is its position. In one life no two records have the same: positions
 * only grow, and segments that are used anew have new ones. Another life, which may cut records off
 * and write others there, has another key: its number goes into that, and a salt that is drawn when
 * the log is opened, so that the same holds for copies of a log that live on by themselves.
 *
 * <p>Threads: any.
 */
final class LogKey {
  /** Bytes of a sealed record before what the owner appended; a multiple of the alignment. */
  static final int TAG_BYTES = FileKey.TAG_BYTES;

  private static final String PURPOSE = "log";

  private final FileKey key;
  private final long salt;
  private final long incarnation;

  private LogKey(FileKey key, long salt, long incarnation) {
    this.key = key;
    this.salt = salt;
    this.incarnation = incarnation;
  }

  /** The key of a new life; null if nothing is to be sealed. */
  static LogKey createOrNull(IoEngine engine, Path directory, long incarnation)
      throws StorageException {
    KeySource keys = engine.keys();
    int id = keys.currentId();
    if (id == KeySource.NOT_ENCRYPTED) {
      return null;
    }
    long salt = ByteBuffer.wrap(FileKey.randomSalt(Long.BYTES)).getLong();
    return derive(keys, id, salt, incarnation, directory);
  }

  /** The key of what a block says; null if its records are not sealed. */
  static LogKey ofOrNull(KeySource keys, BlockHeader block, Path path) throws StorageException {
    return block.keyId() == 0
        ? null
        : derive(keys, block.keyId(), block.salt(), block.incarnation(), path);
  }

  private static LogKey derive(KeySource keys, int id, long salt, long incarnation, Path path)
      throws StorageException {
    byte[] whole =
        ByteBuffer.allocate(2 * Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(salt)
            .putLong(incarnation)
            .array();
    return new LogKey(FileKey.derive(keys, id, whole, PURPOSE, path), salt, incarnation);
  }

  int keyId() {
    return key.id();
  }

  long salt() {
    return salt;
  }

  /** Whether this is the key of a block. */
  boolean isOf(BlockHeader block) {
    return block.keyId() == key.id() && block.salt() == salt && block.incarnation() == incarnation;
  }

  /**
   * Seals what was put into the place of a record, where it is.
   *
   * @param lsn position of the record
   * @param content with room for the tag before what was put
   */
  void seal(long lsn, MemorySegment content) {
    long tag = content.address();
    long bytes = tag + TAG_BYTES;
    key.seal(lsn, 0, bytes, (int) (content.byteSize() - TAG_BYTES), bytes, tag);
  }

  /** What a record is sealed with that comes in pieces. */
  FileKey key() {
    return key;
  }

  /**
   * Opens a record whose checksum is right, where it is.
   *
   * @return the part of the content that its owner appended
   * @throws WrongKeyException if this is not the key, or somebody has changed it
   */
  MemorySegment open(long lsn, MemorySegment content, Path path) throws StorageException {
    long tag = content.address();
    long bytes = tag + TAG_BYTES;
    int lengthBytes = (int) (content.byteSize() - TAG_BYTES);
    if (lengthBytes <= 0 || !key.open(lsn, 0, bytes, lengthBytes, bytes, tag)) {
      throw new WrongKeyException(path, key.id());
    }
    return content.asSlice(TAG_BYTES);
  }
}
