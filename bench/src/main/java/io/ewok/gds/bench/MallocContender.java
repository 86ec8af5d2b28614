package io.ewok.gds.bench;

/** Rival: {@code malloc} and {@code free} of the C library. */
final class MallocContender implements Contender, Contender.Slots {
  /** What glibc keeps in front of each block. */
  private static final int HEADER_BYTES = 8;

  private final long[] addresses;
  private final boolean critical;

  MallocContender(int slots, boolean critical) {
    this.addresses = new long[slots];
    this.critical = critical;
  }

  @Override
  public Slots slots() {
    return this;
  }

  @Override
  public void allocate(int slot, int bytes) {
    long address = critical ? Malloc.allocateCritical(bytes) : Malloc.allocate(bytes);
    addresses[slot] = address;
    Malloc.touch(address);
  }

  @Override
  public void write(int slot, int bytes) {
    Malloc.clear(addresses[slot], bytes);
  }

  @Override
  public void free(int slot) {
    long address = addresses[slot];
    addresses[slot] = 0;
    if (critical) {
      Malloc.freeCritical(address);
    } else {
      Malloc.free(address);
    }
  }

  @Override
  public long usedBytes() {
    long bytes = 0;
    for (long address : addresses) {
      if (address != 0) {
        bytes += Malloc.usableBytes(address) + HEADER_BYTES;
      }
    }
    return bytes;
  }

  @Override
  public long committedBytes() {
    return -1;
  }

  @Override
  public long residentBytes() {
    return -1;
  }

  @Override
  public void close() {}
}
