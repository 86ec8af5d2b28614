/** Direct page I/O: engines, files, an atomic small file, and the reactor under them. */
module io.ewok.gds.pagestore {
  requires transitive io.ewok.gds.allocator;
  requires io.ewok.gds.ffm;
  requires jdk.jfr;

  exports io.ewok.gds.pagestore;
  exports io.ewok.gds.pagestore.sim;
  exports io.ewok.gds.reactor;
}
