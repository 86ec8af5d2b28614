package io.ewok.gds.bench;

/**
 * What was seen of somebody who did I/O for a while.
 *
 * @param perSecond operations that ended in a second
 * @param cpuMicros processor time of the whole process for one of them
 */
record IoSample(double perSecond, double cpuMicros) {}
