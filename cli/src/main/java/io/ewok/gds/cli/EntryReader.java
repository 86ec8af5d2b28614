package io.ewok.gds.cli;

import java.io.IOException;
import java.util.Collection;
import java.util.List;

/**
 * Reads the keys and values of an input, one by one, in the input's order.
 *
 * <p>Confined to one thread. The caller closes it, which closes the file under it.
 *
 * <pre>{@code
 * try (EntryReader reader = input.open(streams)) {
 *   for (Entry entry = reader.next(); entry != null; entry = reader.next()) { ... }
 * }
 * }</pre>
 */
interface EntryReader extends AutoCloseable {

  /**
   * The next entry, or null at the end.
   *
   * @throws IOException if the input cannot be read
   * @throws CommandFailure if it is not what its format says; the message names file and line
   */
  Entry next() throws IOException;

  /** The family that the last entry is of, or null if the input does not say. */
  default String familyOrNull() {
    return null;
  }

  /** The families that the input names so far, those without entries too. */
  default Collection<String> families() {
    return List.of();
  }

  /** How much of the input was consumed, in bytes, for progress. */
  long consumedBytes();

  @Override
  void close() throws IOException;
}
