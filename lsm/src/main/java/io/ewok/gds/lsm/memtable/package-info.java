/**
 * The newest records of a store, in memory outside of the heap, ordered.
 *
 * <p>A record is an <em>entry</em>, which is written once. The entry tree has them all in order: of
 * each key every version, the newest first. The key table has the newest version of each key. Both
 * take insertions from many threads, and neither ever makes a reader wait. Range deletes are
 * entries of their own, in neither of them.
 *
 * <p>It knows nothing of the log and of versions. Not exported: the store's own.
 */
package io.ewok.gds.lsm.memtable;
