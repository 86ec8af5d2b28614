package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/**
 * One write of a transaction.
 *
 * @param of whose it is
 * @param keyOrNull what it writes; null if it deletes a range
 * @param number how many there were before it
 * @param kind see {@link io.ewok.gds.lsm.record.RecordKind}
 * @param memory what the value lies in, which this keeps alive
 * @param older the write to the same key before it, or null
 */
record OwnWrite(
    OwnFamily of,
    OwnKey keyOrNull,
    int number,
    int kind,
    MemorySegment memory,
    long valueAddress,
    int valueBytes,
    OwnWrite older) {}
