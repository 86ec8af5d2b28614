package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Makes blocks of what is stored of them: verifies and decompresses. Called by any thread, by
 * several at once.
 */
@FunctionalInterface
public interface BlockLoader {
  /**
   * Makes one block before anybody sees it. As {@link BlockVerifier#verify} it must not fix blocks
   * or pages.
   *
   * @param path the file, for the message
   * @param offset where the stored block starts in the file, in bytes
   * @param stored what is in the file, valid during the call only; what was read behind the block,
   *     for the sake of the file's alignment, follows it. Nobody looks at it again, so that the
   *     bytes of the block may be changed
   * @param block the memory of the block, valid during the call only; what is in it was something
   *     else's, so all of it has to be written
   * @throws CorruptFileException if what is stored is not what was written
   */
  void load(Path path, long offset, MemorySegment stored, MemorySegment block)
      throws CorruptFileException;
}
