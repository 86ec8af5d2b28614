/**
 * Locks of keys, for transactions that wait for each other: shared and exclusive, with a limit of
 * time, and without waits in a circle. It knows nothing of stores. Not exported.
 *
 * <p>Threads: any, platform or virtual, and fibers, unless a type says otherwise. Nothing is null.
 */
package io.ewok.gds.lsm.lock;
