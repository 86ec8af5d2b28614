package io.ewok.gds.bench;

import org.openjdk.jmh.annotations.Threads;

/**
 * {@link LogAppendBenchmark} on two threads, which append to one log; the rival's have nothing in
 * common.
 *
 * <p>{@code ./gds bench micro LogAppendTwoThreadsBenchmark}
 */
@Threads(2)
public class LogAppendTwoThreadsBenchmark extends LogAppendBenchmark {}
