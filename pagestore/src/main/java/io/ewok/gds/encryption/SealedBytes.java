package io.ewok.gds.encryption;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Bytes on the heap that are sealed now and then, each time with a key of their own: a key note
 * ({@link FileKey}), a tag of 16 bytes, and as many bytes as there were.
 */
public final class SealedBytes {
  private static final int HEADER_BYTES = FileKey.NOTE_BYTES + FileKey.TAG_BYTES;

  private SealedBytes() {}

  /**
   * Seals bytes.
   *
   * @param purpose what they are; opening says it again
   * @param place where they are; as well
   * @return null if nothing is to be encrypted
   */
  public static byte[] sealOrNull(
      KeySource keys, String purpose, long place, byte[] bytes, Path path) throws StorageException {
    FileKey key = FileKey.createOrNull(keys, purpose, path);
    if (key == null) {
      return null;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(HEADER_BYTES + (long) bytes.length);
      key.putNote(memory.asSlice(0, FileKey.NOTE_BYTES).asByteBuffer());
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, HEADER_BYTES, bytes.length);
      long at = memory.address() + HEADER_BYTES;
      key.seal(0, place, at, bytes.length, at, memory.address() + FileKey.NOTE_BYTES);
      return memory.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Opens bytes.
   *
   * @param offset where they lie in the file, for messages
   * @throws CorruptFileException if they were tampered with
   * @throws io.ewok.gds.pagestore.UnknownKeyException if the key is not among those given
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one
   */
  public static byte[] open(
      KeySource keys, String purpose, long place, ByteBuffer sealed, Path path, long offset)
      throws StorageException {
    if (sealed.remaining() < HEADER_BYTES) {
      throw new CorruptFileException(path, offset, "a key", sealed.remaining() + " bytes");
    }
    FileKey key = FileKey.read(keys, sealed, purpose, path, offset);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(sealed.remaining());
      memory.copyFrom(MemorySegment.ofBuffer(sealed));
      long tag = memory.address();
      long at = tag + FileKey.TAG_BYTES;
      int lengthBytes = sealed.remaining() - FileKey.TAG_BYTES;
      if (!key.open(0, place, at, lengthBytes, at, tag)) {
        throw new CorruptFileException(
            path, offset, "authentic bytes", "some that were tampered with");
      }
      return memory.asSlice(FileKey.TAG_BYTES).toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
