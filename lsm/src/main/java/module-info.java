/** An ordered, durable key-value store. */
module io.ewok.gds.lsm {
  requires io.ewok.gds.ffm;
  requires transitive io.ewok.gds.bufferpool;
  requires transitive io.ewok.gds.pagestore;
  requires jdk.jfr;

  exports io.ewok.gds.lsm;
}
