package io.ewok.gds.buffers;

import io.ewok.gds.buffers.PageFileFormat.Salt;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Encrypts the pages of a file on their way to the device, and opens those that come from there.
 * {@link PageSealFormat} draws them.
 *
 * <p>Why no nonce is used twice with one key: a page is written to one place again and again, so it
 * is not the place but a count of all pages that were written in this life of the file. The count
 * is in memory alone. What a power cut leaves of it does not matter, since the next life has
 * another key, of a salt that is drawn anew; so has a copy of the file that is opened for itself.
 *
 * <p>Threads: {@link #open} for any; the others for one at a time.
 */
final class PageSealer {
  private final PageKeys keys;
  private final PageSize size;
  private final Path path;

  // Of whoever writes.
  private PageKeys.Life life;
  private long writes;

  PageSealer(KeySource keys, Salt salt, PageSize size, Path path) {
    this.keys = new PageKeys(keys, salt, path);
    this.size = size;
    this.path = path;
  }

  /**
   * Checks that there is the key of a file that begins so.
   *
   * @return its number
   * @throws io.ewok.gds.pagestore.UnknownKeyException if it is not among those given
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one
   */
  int requireKey(MemorySegment prefix) throws StorageException {
    return keys.of(prefix, PageFileFormat.SEAL, PageFileFormat.SEAL).key().id();
  }

  /**
   * Begins a life: what is sealed from now on has another key.
   *
   * @param idOrElse as in {@link PageKeys#begin}
   */
  void begin(int idOrElse) throws StorageException {
    life = keys.begin(idOrElse);
    writes = 0;
  }

  /**
   * Makes of a page what is written.
   *
   * @param image the page without a seal, off the heap; never copied as it is
   * @param into what is written, but for the checksum
   */
  void seal(MemorySegment image, MemorySegment into, long page) {
    assert image.isNative() && into.isNative();
    int plain = PageSealFormat.plainBytes(page);
    int seal = PageSealFormat.offset(size, page);
    into.asSlice(seal).fill((byte) 0);
    MemorySegment.copy(image, 0, into, 0, plain);
    PageFormat.setLayout(into, size);
    PageFormat.setChecksum(into, 0);
    long write = writes++;
    life.putNote(into, seal + PageSealFormat.LIFE);
    into.set(PageFormat.LONG, seal + PageSealFormat.WRITE, write);
    long to = into.address();
    life.key()
        .seal(
            write,
            page,
            to,
            plain,
            image.address() + plain,
            PageSealFormat.hiddenBytes(size, page),
            to + plain,
            to + seal + PageSealFormat.TAG);
  }

  /**
   * Makes of what was read the page, where it is, unless it was never written.
   *
   * @param bytes the whole page, which was verified
   * @throws CorruptFileException if it was tampered with, or belongs elsewhere
   * @throws io.ewok.gds.pagestore.UnknownKeyException if its key is not among those given
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one
   */
  void open(MemorySegment bytes, long page) throws StorageException {
    if (PageFormat.isNeverWritten(bytes)) {
      return;
    }
    int plain = PageSealFormat.plainBytes(page);
    int seal = PageSealFormat.offset(size, page);
    long offset = page * size.bytes();
    PageKeys.Life of = keys.of(bytes, seal + PageSealFormat.LIFE, offset + seal);
    int checksum = PageFormat.checksum(bytes);
    PageFormat.setChecksum(bytes, 0);
    long at = bytes.address();
    boolean opened =
        of.key()
            .open(
                bytes.get(PageFormat.LONG, seal + PageSealFormat.WRITE),
                page,
                at,
                plain,
                at + plain,
                PageSealFormat.hiddenBytes(size, page),
                at + plain,
                at + seal + PageSealFormat.TAG);
    PageFormat.setChecksum(bytes, checksum);
    if (!opened) {
      throw new CorruptFileException(
          path, offset, "page " + page + " as it was written", "one that was tampered with");
    }
  }
}
