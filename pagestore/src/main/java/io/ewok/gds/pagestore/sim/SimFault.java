package io.ewok.gds.pagestore.sim;

/**
 * What can go wrong by chance, at a rate: see {@link SimOptions#withRate} and {@link
 * SimEngine#setRate}. Each kind draws from a stream of its own, so that the rate of one does not
 * change what the others do.
 *
 * <p>Reported are those that the operation itself tells by an exception; survived, those that the
 * engine deals with; and silent, those that only a checksum, or nothing at all, can find.
 */
public enum SimFault {
  /**
   * Per read: one of the sectors that are asked for goes bad. Reported as EIO, by every read of it
   * until it is written again.
   */
  BAD_SECTOR,

  /** Per read: EIO, and the next time it works. Reported. */
  READ_ERROR,

  /** Per write: EIO; some of the first sectors may have been written. Reported. */
  WRITE_ERROR,

  /** Per write and preallocation: ENOSPC; as with {@link #WRITE_ERROR}. Reported. */
  NO_SPACE,

  /** Per opening, renaming, deleting, linking, truncating and directory sync: EIO. Reported. */
  NAME_ERROR,

  /** Per part of a transfer: it ends early, at an aligned place. Survived. */
  SHORT_TRANSFER,

  /** Per part of a transfer: EINTR. Survived, or reported if it does not end. */
  INTERRUPTED,

  /** Per part of a transfer: EAGAIN. Survived, or reported if it does not end. */
  AGAIN,

  /** Per part of a read: the bytes come from somewhere else, of this or another file. Silent. */
  MISDIRECTED_READ,

  /**
   * Per part of a write: the bytes go somewhere else, of this or another file, or nowhere; the size
   * grows as it should. Silent.
   */
  MISDIRECTED_WRITE,

  /**
   * Per sector that was written since its last sync, in {@link SimEngine#crash}: it begins as one
   * of its contents and ends as another. Silent, until checked.
   */
  TORN_SECTOR,

  /** Per sync of a file: EIO; what becomes of the data says {@link SimSyncFailure}. Reported. */
  FAILED_SYNC,

  /** Per sync of a file: nothing becomes durable, and it says it has. Silent. */
  LYING_SYNC,

  /** Per sync of a directory: the entries stay volatile, and it says they are not. Silent. */
  LOST_ENTRIES
}
