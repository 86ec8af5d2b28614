/** An ordered, durable key-value store. */
module io.ewok.gds.lsm {
  requires io.ewok.gds.ffm;
  requires transitive io.ewok.gds.bufferpool;
  requires transitive io.ewok.gds.pagestore;
  requires jdk.jfr;
  requires static aircompressor.v3;

  exports io.ewok.gds.lsm;
  exports io.ewok.gds.lsm.shard;
  exports io.ewok.gds.lsm.sst;
}
