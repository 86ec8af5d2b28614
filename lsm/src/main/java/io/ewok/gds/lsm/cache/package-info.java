/**
 * Records of tables that are read often, each by itself, in memory outside of the heap: a get that
 * finds its record there needs no block of a table.
 *
 * <p>The cache is an array of <em>buckets</em>; a key's hash says which one its record may be in.
 * It knows nothing of versions and tables but their numbers: {@link RecordCache} says what these
 * have to be.
 *
 * <p>Threads: any, and none waits but who says that keys have changed. Not exported: the store's
 * own.
 */
package io.ewok.gds.lsm.cache;
