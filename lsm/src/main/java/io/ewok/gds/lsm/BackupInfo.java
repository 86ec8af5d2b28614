package io.ewok.gds.lsm;

import java.time.Instant;

/**
 * One of the {@link Backups} in a directory.
 *
 * @param number by which it is called, from 1
 * @param time when it was begun
 * @param sequence number of the last write that is in it
 * @param tables how many it consists of, value files included
 * @param tableBytes their size, in bytes
 * @param newBytes of these, in files that no older backup had: so much was copied
 */
public record BackupInfo(
    long number, Instant time, long sequence, int tables, long tableBytes, long newBytes) {}
