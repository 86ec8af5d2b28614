package io.ewok.gds.buffers.eviction;

/**
 * The policies that a buffer pool can have. With each, scans that say so keep to a small part of
 * the pool, what has a high {@link Priority} stays longer, and being asked for moves nothing and
 * takes no lock.
 *
 * <table>
 * <caption>Which one</caption>
 * <tr><th>policy</th><th>choose it</th><th>weak where</th></tr>
 * <tr><td>S3_FIFO</td><td>by default: the most hits on recorded traces with pools of a few to 20 % of the data</td>
 *   <td>what is used again comes back after longer than a tenth of the pool holds it, though the whole pool would</td></tr>
 * <tr><td>CAR</td><td>where the pool holds much of the data, or nothing is known: hardly ever fewer hits than CLOCK</td>
 *   <td>pages are asked for several times in a row, once and never again</td></tr>
 * <tr><td>CLOCK</td><td>where heap is short: 18 bytes a slot instead of 59</td><td>scans that do not say so</td></tr>
 * </table>
 *
 * None of them keeps a part of a loop that is larger than the pool.
 */
public enum EvictionKind {
  /** A hand goes round; what was asked for since it last came by gets a second chance. */
  CLOCK,

  /** S3-FIFO: what is new has to prove itself in a tenth of the pool. */
  S3_FIFO,

  /** CAR, the clock form of ARC: how much of the pool is for what is new adapts itself. */
  CAR;

  /**
   * A policy that knows of no resident slot yet.
   *
   * @param marks in which is counted what is asked for; of as many slots as there are, at least 1
   */
  public EvictionPolicy create(ReferenceMarks marks) {
    int slotCount = marks.slotCount();
    if (slotCount < 1) {
      throw new IllegalArgumentException("a cache has at least one slot: slotCount=" + slotCount);
    }
    EvictionPolicy policy =
        switch (this) {
          case CLOCK -> new ClockPolicy(marks);
          case S3_FIFO -> new S3FifoPolicy(marks);
          case CAR -> new CarPolicy(marks);
        };
    return new PriorityRings(marks, policy);
  }

  /** At most this many bytes of heap for each slot. */
  public int bytesPerSlot() {
    return PriorityRings.BYTES_PER_SLOT
        + switch (this) {
          case CLOCK -> ClockPolicy.BYTES_PER_SLOT;
          case S3_FIFO -> S3FifoPolicy.BYTES_PER_SLOT;
          case CAR -> CarPolicy.BYTES_PER_SLOT;
        };
  }
}
