package io.ewok.gds.buffers.eviction;

/** Spreads keys that are close together over all bits. */
final class Hashing {
  private Hashing() {}

  /** A permutation: different keys stay different. */
  static long mix(long key) {
    long mixed = (key ^ (key >>> 32)) * 0x9E3779B97F4A7C15L;
    mixed = (mixed ^ (mixed >>> 29)) * 0xBF58476D1CE4E5B9L;
    return mixed ^ (mixed >>> 32);
  }
}
