/**
 * The newest records of a store, in memory outside of the heap, ordered.
 *
 * <p>It knows nothing of the log and of versions. Not exported: the store's own.
 */
package io.ewok.gds.lsm.memtable;
