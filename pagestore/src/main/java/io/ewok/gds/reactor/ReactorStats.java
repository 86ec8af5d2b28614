package io.ewok.gds.reactor;

/**
 * What a reactor has done so far. Numbers are of about the same moment.
 *
 * @param enterCount calls of io_uring_enter
 * @param completedCount operations that the kernel has ended, or that were cancelled before it had
 *     them; each part of one that runs again counts
 * @param signalCount times that another thread had to wake it
 * @param overflowCount operations that were submitted and that the kernel does not have, now
 * @param refusedCount operations for which there was no place; who submitted one was told or waited
 * @param refusedTaskCount tasks for which there was no place in the inbox, no fiber or no memory
 * @param lateTimerCount timers that fired more than two ticks after their deadline
 * @param stallCount times that something kept it for longer than the threshold
 * @param pinnedWaitCount times that a fiber waited with native code or a class initializer on its
 *     stack, so that no other fiber could run meanwhile
 * @param lostTurnCount times that a fiber waited for something else than a baton, such as a lock,
 *     while others wanted to run, and went on beside them. Only where the reactor does not run
 *     fibers itself
 */
public record ReactorStats(
    long enterCount,
    long completedCount,
    long signalCount,
    int overflowCount,
    long refusedCount,
    long refusedTaskCount,
    long lateTimerCount,
    long stallCount,
    long pinnedWaitCount,
    long lostTurnCount) {}
