package io.ewok.gds.lsm.values;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnknownKeyException;
import io.ewok.gds.pagestore.WrongKeyException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * An open value file. Its entries are read through the pool, each as a block of its own.
 *
 * <p>Ownership: counted by {@link #references}; the tables that refer to it are its users. When the
 * last has left, the file is handed to whoever closes, and if nothing refers to it any more
 * deletes, it.
 *
 * <p>Threads: any.
 */
public final class ValueFile {
  public final References references = new References();
  private final ValueFileMeta meta;
  private final LoadedBlockFile file;
  private final ValueLoader loader;
  private final Consumer<ValueFile> whenUnused;
  private volatile boolean replaced;

  private ValueFile(
      ValueFileMeta meta,
      LoadedBlockFile file,
      ValueLoader loader,
      Consumer<ValueFile> whenUnused) {
    this.meta = meta;
    this.file = file;
    this.loader = loader;
    this.whenUnused = whenUnused;
  }

  /**
   * Opens a file and checks its header against the manifest. The caller is its first user.
   *
   * @param whenUnused called once, on the thread of the last user
   * @throws CorruptFileException if it is another file
   * @throws UnknownKeyException if it is encrypted, and the key is not among those of the engine
   * @throws WrongKeyException if it is another one there
   * @throws PlainFileException if it is not encrypted, and should be
   */
  public static ValueFile open(
      BufferManager buffers, Path path, ValueFileMeta meta, Consumer<ValueFile> whenUnused)
      throws IOException {
    ValueLoader loader = new ValueLoader(meta.number());
    LoadedBlockFile file = buffers.openBlocks(path, loader);
    try (Fix fix = new Fix().withPriority(Priority.LOW)) {
      if (file.sizeBytes() != meta.sizeBytes()) {
        throw new CorruptFileException(
            path, 0, meta.sizeBytes() + " bytes", file.sizeBytes() + " bytes");
      }
      file.fix(0, ValueFormat.HEADER_BYTES, ValueFormat.HEADER_BYTES, fix);
      int family = Memory.getInt(fix.address() + ValueFormat.FAMILY_OFFSET);
      if (family != meta.family()) {
        throw new CorruptFileException(
            path, ValueFormat.FAMILY_OFFSET, "family " + meta.family(), "family " + family);
      }
      useKey(buffers.keys(), file, loader, fix);
      return new ValueFile(meta, file, loader, whenUnused);
    } catch (IOException | RuntimeException | Error e) {
      try {
        file.close();
      } catch (IOException | RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  /**
   * Reads the key of a file whose header is fixed, if it is encrypted, and nothing if it may be
   * plain.
   */
  private static void useKey(KeySource keys, LoadedBlockFile file, ValueLoader loader, Fix fix)
      throws IOException {
    if (!ValueFormat.isSealed(fix.address())) {
      FileKey.acceptPlain(keys, file.path());
      return;
    }
    long number = Memory.getLong(fix.address() + ValueFormat.NUMBER_OFFSET);
    fix.unfix();
    loader.awaitKey();
    file.fix(ValueFormat.HEADER_BYTES, ValueFormat.KEY_BYTES, ValueFormat.KEY_BYTES, fix);
    loader.use(ValueFormat.readKey(keys, fix.address(), number, file.path()));
  }

  /**
   * Looks whether a file could be read with the keys that there are; what is damaged could.
   *
   * @throws UnknownKeyException if it is encrypted, and the key is not among those of the engine
   * @throws WrongKeyException if it is another one there
   * @throws PlainFileException if it is not encrypted, and should be
   */
  public static void requireKey(BufferManager buffers, Path path, long number) throws IOException {
    ValueLoader loader = new ValueLoader(number);
    try (LoadedBlockFile file = buffers.openBlocks(path, loader);
        Fix fix = new Fix()) {
      if (file.sizeBytes() >= ValueFormat.FILE_ALIGNMENT_BYTES) {
        file.fix(0, ValueFormat.HEADER_BYTES, ValueFormat.HEADER_BYTES, fix);
        useKey(buffers.keys(), file, loader, fix);
      }
    } catch (UnknownKeyException | WrongKeyException | PlainFileException e) {
      throw e;
    } catch (StorageException _) {
      // Who reads it says so.
    }
  }

  public ValueFileMeta meta() {
    return meta;
  }

  public Path path() {
    return file.path();
  }

  /** Number of the master key that the file is encrypted with; 0 if it is not. */
  public int keyId() {
    FileKey key = loader.keyOrNull();
    return key == null ? KeySource.NOT_ENCRYPTED : key.id();
  }

  /**
   * Fixes the entry that a reference leads to; its value is then at {@link #valueAddress}.
   *
   * @param reference its address; sound, see {@link ValueFormat#isReference}
   * @throws CorruptFileException if there is not the value of that key which the reference means;
   *     nothing is fixed then
   * @throws IllegalArgumentException if it does not fit into the pool
   */
  public void fix(long reference, long keyAddress, int keyBytes, Fix into) throws IOException {
    long offset = ValueFormat.offset(reference);
    int entryBytes = ValueFormat.entryBytes(reference);
    if (offset > meta.sizeBytes() - entryBytes) {
      throw corrupt(
          offset,
          "a value of " + entryBytes + " bytes",
          "the end of the file",
          keyAddress,
          keyBytes);
    }
    try {
      file.fix(offset, entryBytes, entryBytes, into);
    } catch (CorruptFileException e) {
      CorruptFileException named =
          corrupt(offset, "the value of a key", e.getMessage(), keyAddress, keyBytes);
      named.addSuppressed(e);
      throw named;
    }
    long entry = into.address();
    boolean isMeant =
        Memory.getInt(entry + ValueFormat.CHECKSUM_OFFSET) == ValueFormat.checksum(reference)
            && Memory.getInt(entry + ValueFormat.KEY_LENGTH_OFFSET) == keyBytes
            && Memory.compareUnsigned(
                    entry + ValueFormat.KEY_OFFSET, keyBytes, keyAddress, keyBytes)
                == 0;
    if (!isMeant) {
      into.unfix();
      throw corrupt(offset, "the value of a key", "another one", keyAddress, keyBytes);
    }
  }

  private CorruptFileException corrupt(
      long offset, String expected, String actual, long keyAddress, int keyBytes) {
    return new CorruptFileException(
        path(), offset, expected, actual + ": key=" + ShownKey.of(keyAddress, keyBytes));
  }

  /** Where the value lies in an entry that is fixed. */
  public static long valueAddress(Fix entry, int keyBytes) {
    return entry.address() + ValueFormat.KEY_OFFSET + keyBytes;
  }

  /**
   * Starts to read entries that will be wanted soon, see {@link LoadedBlockFile#prefetch}.
   *
   * @param lengths of the entries, in bytes
   */
  public void prefetch(long[] offsets, int[] lengths, int count, Priority priority) {
    for (int i = 0; i < count; i++) {
      if (offsets[i] > meta.sizeBytes() - lengths[i]) {
        return; // who comes to that value will say so
      }
    }
    try {
      file.prefetch(offsets, lengths, lengths, count, priority);
    } catch (IllegalArgumentException e) {
      // It is a hint: the value does not fit into the pool, which its reader is told.
    }
  }

  /** Tells that no table of the store refers to it any more: it is to go with its last user. */
  public void setReplaced() {
    replaced = true;
  }

  public boolean isReplaced() {
    return replaced;
  }

  /** Leaves the file. */
  public void release() {
    if (references.release()) {
      whenUnused.accept(this);
    }
  }

  /** Closes the file and drops its entries from the pool. */
  public void close() throws IOException {
    file.close();
  }
}
