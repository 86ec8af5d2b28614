package io.ewok.gds.buffers;

/**
 * What is done so that a power cut in the middle of writing a page cannot cost the page. Chosen
 * when a page file is created and recorded in it.
 *
 * <table>
 * <caption>Modes</caption>
 * <tr><th>mode</th><th>each page is written</th><th>after a power cut</th><th>costs</th></tr>
 * <tr><td>{@link #DOUBLE_WRITE}</td><td>first to a journal, many at once and synced, then to its place</td>
 *   <td>torn pages are as they were to be</td><td>twice the bytes, a sync for each batch</td></tr>
 * <tr><td>{@link #BACKUP}</td><td>to its place, after what was there was copied to a journal and synced</td>
 *   <td>torn pages are as they were before, and redone from the log</td>
 *   <td>a read more than DOUBLE_WRITE</td></tr>
 * <tr><td>{@link #ATOMIC}</td><td>wholly or not at all, by the device</td><td>none are torn</td><td>nothing</td></tr>
 * <tr><td>{@link #NONE}</td><td>once</td><td>torn pages are reported as corrupt</td><td>nothing</td></tr>
 * </table>
 *
 * <p>Where the device transfers more than a page at once, its neighbours are written with it and
 * are protected with it.
 *
 * <p>The journal is a file beside the page file, of its name and {@code .journal}. They belong
 * together, in copies, moves and deletions: a page file without its journal can be opened for
 * reading only.
 */
public enum TornPages {
  /**
   * For a new file {@link #ATOMIC} where the device says that it can, else {@link #DOUBLE_WRITE};
   * for an existing file what it was created with.
   */
  AUTO,

  /** A page is lost only if its copy in the journal is, too. */
  DOUBLE_WRITE,

  /**
   * As {@link #DOUBLE_WRITE} for owners that log their changes. What was not logged may be undone
   * by a power cut before the file's flush.
   */
  BACKUP,

  /** Refused where the device does not promise it for pages of this size. */
  ATOMIC,

  /** For owners that can get a page from elsewhere. */
  NONE;

  /** Whether there is a journal. */
  boolean hasJournal() {
    return this == DOUBLE_WRITE || this == BACKUP;
  }
}
