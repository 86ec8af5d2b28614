package io.ewok.gds.bench;

import org.openjdk.jmh.annotations.Threads;

/**
 * Do two threads that find pages in one pool disturb each other? {@link PoolHitBenchmark} on two
 * threads; where they have nothing in common, each takes the time that it takes with a pool of its
 * own.
 *
 * <p>{@code ./gds bench micro PoolHitTwoThreadsBenchmark}
 */
@Threads(2)
public class PoolHitTwoThreadsBenchmark extends PoolHitBenchmark {}
