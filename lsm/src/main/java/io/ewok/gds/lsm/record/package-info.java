/**
 * What memtables, tables and the log have in common: records, their order and their kinds, sources
 * of records, and the form in which batches go to the log.
 *
 * <p>It knows neither memtables nor tables. Not exported: the store's own.
 */
package io.ewok.gds.lsm.record;
