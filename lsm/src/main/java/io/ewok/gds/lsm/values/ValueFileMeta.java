package io.ewok.gds.lsm.values;

/**
 * What the manifest knows of a value file.
 *
 * @param number names the file; tables and value files share the numbers
 * @param family number of the family that the values are of
 * @param sizeBytes size of the file
 * @param entries values in it
 * @param entryBytes what these take, without what fills them up
 */
public record ValueFileMeta(
    long number, int family, long sizeBytes, long entries, long entryBytes) {

  /** Whether there can be such a file. */
  public boolean isSound() {
    return number > 0
        && family >= 0
        && entries > 0
        && entryBytes / ValueFormat.KEY_OFFSET >= entries
        && entryBytes <= sizeBytes - ValueFormat.HEADER_BYTES;
  }
}
