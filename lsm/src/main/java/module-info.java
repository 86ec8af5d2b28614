/** An ordered, durable key-value store. */
module io.ewok.gds.lsm {
  requires io.ewok.gds.ffm;
  requires io.ewok.gds.bufferpool;
  requires transitive io.ewok.gds.pagestore;

  exports io.ewok.gds.lsm;
}
