package io.ewok.gds.buffers;

import io.ewok.gds.buffers.PageFileFormat.Salt;
import io.ewok.gds.encryption.DerivedKeys;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The keys of a page file. A file has many <em>lives</em>, each with a key of its own: one begins
 * whenever it is opened for writing, or {@linkplain CachedPageFile#reseal sealed anew}. From the
 * master key and the file's salt comes a key of the file, and from that and the salt of a life the
 * key of that life, which pages that were written in it name.
 *
 * <p>Keys that were needed lately are kept: as many as there is room for.
 *
 * <p>Threads: any.
 */
final class PageKeys {
  /** Pages of more lives than that can be read, too: keys are derived again then. */
  private static final int KEPT = 256;

  private static final String FILE_PURPOSE = "page file";
  private static final String LIFE_PURPOSE = "pages";

  private final KeySource keys;
  private final Path path;

  /** By their salts. What is there was made before it was put there, and does not change. */
  private final AtomicReferenceArray<Life> kept = new AtomicReferenceArray<>(KEPT);

  PageKeys(KeySource keys, Salt salt, Path path) {
    this.keys = new DerivedKeys(keys, salt.bytes(), FILE_PURPOSE);
    this.path = path;
  }

  /**
   * The key of a life, and its note.
   *
   * @param idAndCheck the first 8 bytes of the note
   * @param saltLow the next
   * @param saltHigh the last
   */
  record Life(FileKey key, long idAndCheck, long saltLow, long saltHigh) {
    private static Life of(FileKey key) {
      ByteBuffer note = ByteBuffer.allocate(FileKey.NOTE_BYTES);
      key.putNote(note);
      return new Life(key, note.getLong(0), note.getLong(8), note.getLong(16));
    }

    void putNote(MemorySegment page, int at) {
      page.set(PageFormat.LONG, at, idAndCheck);
      page.set(PageFormat.LONG, at + 8, saltLow);
      page.set(PageFormat.LONG, at + 16, saltHigh);
    }
  }

  /**
   * Begins a life, under the current key.
   *
   * @param idOrElse the number of the key if there is no current one: an encrypted file stays so
   */
  Life begin(int idOrElse) throws StorageException {
    int current = keys.currentId();
    int id = current == KeySource.NOT_ENCRYPTED ? idOrElse : current;
    return Life.of(FileKey.create(keys, id, LIFE_PURPOSE, path));
  }

  /**
   * The life that a page names.
   *
   * @param page with a note at an offset
   * @param offset of the note in the file, for messages
   */
  Life of(MemorySegment page, int at, long offset) throws StorageException {
    long idAndCheck = page.get(PageFormat.LONG, at);
    long saltLow = page.get(PageFormat.LONG, at + 8);
    long saltHigh = page.get(PageFormat.LONG, at + 16);
    int place = (int) (saltLow ^ saltHigh) & KEPT - 1; // as good as random
    Life life = kept.getPlain(place);
    if (life == null
        || life.saltLow != saltLow
        || life.saltHigh != saltHigh
        || life.idAndCheck != idAndCheck) {
      ByteBuffer note = page.asSlice(at, FileKey.NOTE_BYTES).asByteBuffer();
      life =
          new Life(
              FileKey.read(keys, note, LIFE_PURPOSE, path, offset), idAndCheck, saltLow, saltHigh);
      kept.set(place, life);
    }
    return life;
  }
}
