package io.ewok.gds.pagestore;

/** How a synced write ({@link IoFile#writeSynced}) becomes durable. Both ways promise the same. */
public enum SyncMethod {
  /** Tries both on the first writes to a device and goes on with the faster one. */
  AUTO,

  /** One call that writes through (RWF_DSYNC). The faster one where the device's cache is safe. */
  DSYNC,

  /** A write and then fdatasync. The faster one on most devices whose cache is volatile. */
  FDATASYNC
}
