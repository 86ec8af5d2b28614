/** Direct page I/O: engines, files, an atomic small file, and the reactor under them. */
// The modules named in qualified exports stand above this one and are not there when it is
// compiled.
@SuppressWarnings("module")
module io.ewok.gds.pagestore {
  requires transitive io.ewok.gds.allocator;
  requires io.ewok.gds.ffm;
  requires jdk.jfr;

  exports io.ewok.gds.encryption to
      io.ewok.gds.bufferpool,
      io.ewok.gds.lsm;
  exports io.ewok.gds.pagestore;
  exports io.ewok.gds.pagestore.sim;
  exports io.ewok.gds.reactor;
}
