package io.ewok.gds.lsm;

/**
 * A store as it was when the snapshot was taken: later writes are not seen, and what expires later
 * is.
 *
 * <p>Ownership: whoever took the snapshot closes it. It keeps no memory and no block, but records
 * that were overwritten or deleted since stay on the device for it. Closing the store makes its
 * snapshots unusable; closing them afterwards does nothing. Cursors that were opened on a snapshot
 * may outlive it.
 *
 * <p>Threads: any.
 *
 * {@snippet :
 * try (Snapshot before = store.snapshot()) {
 *   store.put(key, value, Durability.NONE);
 *   byte[] old = before.get(key);
 * }
 * }
 */
public final class Snapshot extends ReadView implements AutoCloseable {
  private final VersionSet versions;
  private final long sequence;
  private final long expiryFloor;

  /** Set before records that only it needs may go. Partner of the write in close: visible. */
  private volatile boolean closed;

  Snapshot(VersionSet versions, StoreCounters counters, long sequence, long expiryFloor) {
    super(versions, counters);
    this.versions = versions;
    this.sequence = sequence;
    this.expiryFloor = expiryFloor;
  }

  /** Returns the sequence number of the newest operation that it sees. */
  public long sequence() {
    return sequence;
  }

  @Override
  long expiryFloor() {
    return expiryFloor;
  }

  @Override
  long visibleSequence() {
    if (closed) {
      throw new IllegalStateException("the snapshot is closed: sequence=" + sequence);
    }
    return sequence;
  }

  /** Lets go of what was overwritten. Closing twice does nothing. */
  @Override
  public void close() {
    closed = true;
    versions.snapshotClosed(this);
  }
}
