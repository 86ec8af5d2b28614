package io.ewok.gds.lsm;

/**
 * A table or a value file that a manifest names.
 *
 * @param isValues which of the two it is
 */
record FileMeta(long number, long sizeBytes, boolean isValues) {}
