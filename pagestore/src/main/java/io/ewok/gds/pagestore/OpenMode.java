package io.ewok.gds.pagestore;

/** How {@link IoEngine#open} opens a file. There is no mode that truncates. */
public enum OpenMode {
  /** The file exists; writes are refused. */
  READ_ONLY,

  /** The file exists. */
  READ_WRITE,

  /** The file does not exist and is created, for its owner alone (mode 0600). */
  CREATE_NEW;

  /** Returns whether files opened so can be written. */
  public boolean canWrite() {
    return this != READ_ONLY;
  }
}
