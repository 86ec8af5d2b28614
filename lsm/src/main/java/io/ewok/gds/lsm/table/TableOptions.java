package io.ewok.gds.lsm.table;

/**
 * What a {@link TableWriter} is told about the tables that it writes.
 *
 * @param blockBytes the longest data block of more than one record, in bytes
 * @param recordBytesMax most that the key and value of a record have together, in bytes
 * @param indexBytesMax memory for the root of an index, in bytes; kept within bounds by the writer
 */
public record TableOptions(int blockBytes, int recordBytesMax, long indexBytesMax) {}
