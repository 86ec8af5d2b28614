package io.ewok.gds.bench;

import org.openjdk.jmh.annotations.Threads;

/**
 * Do two threads that only free what they allocated themselves disturb each other? {@link
 * BatchBenchmark} on two threads that share one allocator; an allocator without contention takes
 * the same time for a block as there.
 *
 * <p>{@code ./gds bench micro TwoThreadsBenchmark -prof gc}
 */
@Threads(2)
public class TwoThreadsBenchmark extends BatchBenchmark {}
