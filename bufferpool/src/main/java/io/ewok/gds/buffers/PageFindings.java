package io.ewok.gds.buffers;

/** Is told what {@link PageInspection#verify} finds: by any of its callers, by several at once. */
public interface PageFindings {
  /**
   * So many more pages were looked at, bad ones among them.
   *
   * @param neverWritten how many of them are all zeros
   * @param free how many of them their owner has given back
   */
  void inspected(int pages, int neverWritten, int free);

  /**
   * A page is not what was written, or cannot be read, also when it was read once more.
   *
   * @param reason for people
   */
  void bad(long page, String reason);
}
