package io.ewok.gds.wal;

/**
 * Counters of one log since it was opened.
 *
 * @param records records appended
 * @param recordBytes their bytes without headers
 * @param blocks blocks written to the device
 * @param bytesWritten bytes written to the device, headers and padding included
 * @param syncs times the device was told to make the log durable; one serves a whole group
 */
public record LogStats(
    long records, long recordBytes, long blocks, long bytesWritten, long syncs) {}
