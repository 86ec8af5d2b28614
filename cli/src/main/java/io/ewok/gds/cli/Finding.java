package io.ewok.gds.cli;

/**
 * One thing the doctor looked at.
 *
 * @param name what was looked at
 * @param found what it is on this machine
 * @param meaning what follows from it for a store
 */
record Finding(String name, String found, String meaning) {}
