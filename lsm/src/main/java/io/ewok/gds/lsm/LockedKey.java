package io.ewok.gds.lsm;

/**
 * What a lock is about, for errors.
 *
 * @param family its name
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record LockedKey(String family, byte[] key) {
  @Override
  public String toString() {
    return "family=%s key=%s".formatted(family, ConflictException.shown(key));
  }
}
