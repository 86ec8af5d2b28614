/** Meters of a store for Micrometer. */
module io.ewok.gds.micrometer {
  requires transitive io.ewok.gds.lsm;
  requires transitive micrometer.core;

  exports io.ewok.gds.micrometer;
}
