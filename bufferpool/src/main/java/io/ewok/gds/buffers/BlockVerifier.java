package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Checks the blocks of a block file after they were read. Called by any thread, by several at once.
 */
@FunctionalInterface
public interface BlockVerifier {
  /**
   * Checks one block before anybody sees it. Must not fix blocks or pages: fixing the one that is
   * verified throws {@link IllegalStateException}, and two that wait for each other's do so for
   * ever.
   *
   * @param path the file, for the message
   * @param offset where the block starts in the file, in bytes
   * @param block the block, read-only and valid during the call only
   * @throws CorruptFileException if the block is not what was written
   */
  void verify(Path path, long offset, MemorySegment block) throws CorruptFileException;
}
