/**
 * A simulated engine for tests of what stands on {@code io.ewok.gds.pagestore}: files in memory,
 * power cuts, failing devices, all from a seed.
 *
 * <p>Not here: time. Operations take none.
 *
 * <p>Threads: any; one lock. Null is never accepted and never returned.
 *
 * <pre>{@code
 * SimEngine engine = new SimEngine(42);
 * engine.failNth(SimOperation.SYNC, 3, Errno.EIO);
 * SimEngine afterPowerCut = engine.crash(43);
 * }</pre>
 */
package io.ewok.gds.pagestore.sim;
