/**
 * One table: a sorted, immutable file of records. Its format, its writer, and what reads it.
 *
 * <p>It knows nothing of levels, versions and the manifest. Not exported: the store's own.
 */
package io.ewok.gds.lsm.table;
