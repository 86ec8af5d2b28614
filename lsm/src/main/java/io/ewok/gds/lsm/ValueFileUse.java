package io.ewok.gds.lsm;

import io.ewok.gds.lsm.values.ValueFileMeta;

/**
 * A value file of a store, and how much of it is of use.
 *
 * @param liveBytes of its entries, those that tables refer to
 */
record ValueFileUse(ValueFileMeta meta, long liveBytes) {}
