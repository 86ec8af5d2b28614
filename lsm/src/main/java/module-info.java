/** An ordered, durable key-value store. */
module io.ewok.gds.lsm {
  requires transitive io.ewok.gds.pagestore;

  exports io.ewok.gds.lsm;
}
