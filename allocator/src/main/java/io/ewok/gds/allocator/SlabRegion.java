package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A reserved region of a {@link NodeHeap} by units, and what tells its slabs of operations.
 *
 * <p>Threads: guarded by the growth lock of the heap; operations begin and end on any.
 */
final class SlabRegion implements FrameLeases {
  private final Region region;

  /** By position; null where nothing is committed. Written under the lock. */
  private final AtomicReferenceArray<Unit> units;

  private int committed;

  SlabRegion(Region region) {
    this.region = region;
    this.units = new AtomicReferenceArray<>((int) (region.sizeBytes() / Unit.BYTES));
    region.attach(this);
  }

  Region region() {
    return region;
  }

  boolean isFull() {
    return committed == units.length();
  }

  long committedBytes() {
    return (long) committed * Unit.BYTES;
  }

  /** Returns the first unit with so many neighbouring blocks that are not used, or null. */
  Unit find(int blocks) {
    for (int i = 0; i < units.length(); i++) {
      Unit unit = units.getPlain(i);
      if (unit != null && unit.find(blocks) >= 0) {
        return unit;
      }
    }
    return null;
  }

  /** Takes the first unit that is not there from the system; returns null if the budget is full. */
  Unit commit() {
    int vacant = 0;
    while (units.getPlain(vacant) != null) {
      vacant++;
    }
    long offset = (long) vacant * Unit.BYTES;
    if (!region.commit(offset, Unit.BYTES)) {
      return null;
    }
    Unit unit = new Unit(region, offset);
    units.setRelease(vacant, unit);
    committed++;
    return unit;
  }

  /** Returns unused units to the system, unless a ring counts on them; returns the bytes. */
  long trim() {
    long bytes = 0;
    if (region.isRegistered()) {
      return bytes;
    }
    for (int i = 0; i < units.length(); i++) {
      Unit unit = units.getPlain(i);
      if (unit != null && unit.isUnused()) {
        region.decommit((long) i * Unit.BYTES, Unit.BYTES);
        units.setRelease(i, null);
        committed--;
        bytes += Unit.BYTES;
      }
    }
    return bytes;
  }

  @Override
  public void leased(long offset, long bytes) {
    long end = offset + bytes;
    for (long from = offset; from < end; ) {
      Slab slab = slab(from);
      long to = slab == null ? from : Math.min(end, end(slab));
      if (slab == null || !slab.lease(from, to)) {
        unleased(offset, from - offset);
        throw new IllegalStateException(
            "nothing is allocated here: offset=%d bytes=%d".formatted(offset, bytes));
      }
      from = to;
    }
  }

  @Override
  public void unleased(long offset, long bytes) {
    long end = offset + bytes;
    for (long from = offset; from < end; ) {
      Slab slab = slab(from);
      long to = Math.min(end, end(slab));
      slab.unlease(from, to);
      from = to;
    }
  }

  private Slab slab(long offset) {
    Unit unit = units.getAcquire((int) (offset / Unit.BYTES));
    return unit == null ? null : unit.slab((int) (offset % Unit.BYTES / SizeClasses.BLOCK_BYTES));
  }

  private static long end(Slab slab) {
    return slab.unit.offset(slab.firstBlock + slab.blocks);
  }

  @Override
  public String toString() {
    return region.toString();
  }
}
