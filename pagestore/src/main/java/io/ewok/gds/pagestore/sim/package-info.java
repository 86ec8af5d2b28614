/**
 * A simulated engine: the test fixture of whatever stands on {@code io.ewok.gds.pagestore}, here
 * and outside. Files in memory, power cuts, failing devices and a virtual clock, all from a seed.
 *
 * <ul>
 *   <li>{@code SimEngine}: the engine. {@code crash} gives one of the states that a power cut could
 *       leave, as often as wanted; {@code failNth} makes one chosen operation fail; {@code onSync}
 *       is the hook for a cut at every place where something becomes durable.
 *   <li>{@code SimOptions}: what kind of device it is, and how often each {@code SimFault} happens.
 *       {@code SimFault} says which of them are reported, which survived, and which silent: those
 *       are for your checksums to find.
 *   <li>{@code SimClock} and {@code SimLatency}: transfers that take time. Requests are in flight
 *       until the clock is moved, by hand or by whoever awaits one of them; they end out of order.
 *       Limits ({@code setThrottle}) hold on this clock, to one request in any second.
 * </ul>
 *
 * <p>A test of a store runs some seeds, cuts the power at every sync, and opens what is left:
 *
 * <pre>{@code
 * for (long seed = 0; seed < 100; seed++) {
 *   SimOptions options = SimOptions.defaults()
 *       .withLatency(new SimLatency(50_000, 150_000, 0.01, 20_000_000))
 *       .withRate(SimFault.SHORT_TRANSFER, 0.1);
 *   try (SimEngine engine = new SimEngine(seed, options)) {
 *     engine.onSync(() -> {
 *       try (SimEngine after = engine.crash(engine.syncCount())) {
 *         assertHoldsAllThatWasAcknowledged(MyStore.open(after));
 *       }
 *     });
 *     runWorkload(MyStore.open(engine), seed);
 *   }
 * }
 * }</pre>
 *
 * <p>With one thread, everything repeats exactly; {@code SimEngine.traceHash} tells whether it did.
 * Without options, transfers take no time and end inline. What a seed means stays the same.
 *
 * <p>Not here: how fast a device is, and what it does when it is overloaded.
 *
 * <p>Threads: any; one lock an engine. Null is never accepted and never returned.
 */
package io.ewok.gds.pagestore.sim;
