package io.ewok.gds.pagestore.sim;

/** What can be made to fail by {@link SimEngine#failNth}. */
public enum SimOperation {
  /** Opening or creating a file. */
  OPEN,
  /** Reading from a file. */
  READ,
  /** Writing to a file; the failed write leaves some of its first sectors behind. */
  WRITE,
  /** Syncing a file; the failed sync loses some of what it should have made durable. */
  SYNC,
  /** Reserving space. */
  PREALLOCATE,
  /** Changing the size. */
  TRUNCATE,
  /** Renaming. */
  RENAME,
  /** Deleting. */
  DELETE,
  /** Syncing a directory; the entries stay volatile. */
  SYNC_DIRECTORY,
  /** Giving a file a second name. */
  LINK;

  String verb() {
    return switch (this) {
      case OPEN -> "open";
      case READ -> "read";
      case WRITE -> "write";
      case SYNC -> "sync";
      case PREALLOCATE -> "preallocate";
      case TRUNCATE -> "truncate";
      case RENAME -> "rename the file";
      case DELETE -> "delete the file";
      case SYNC_DIRECTORY -> "sync the directory";
      case LINK -> "link the file";
    };
  }
}
