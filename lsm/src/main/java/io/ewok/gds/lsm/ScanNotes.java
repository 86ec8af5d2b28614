package io.ewok.gds.lsm;

/**
 * What a merge of sources passed by, noted for who asks how a scan goes.
 *
 * <p>Threads: that of the scan.
 */
final class ScanNotes {
  /** Versions that another source has a newer one for. */
  long hidden;

  /** Keys whose newest record is a delete. */
  long deleted;

  /** Keys that range deletes hide, as far as they were looked at. */
  long rangeDeleted;

  /** Records that the filter rejected. */
  long filtered;
}
