/** Off-heap memory: regions, bump arenas and frame pools under one budget. */
@SuppressWarnings("module") // The page store is built later.
module io.ewok.gds.allocator {
  requires io.ewok.gds.ffm;
  requires jdk.jfr;

  exports io.ewok.gds.allocator;
  exports io.ewok.gds.allocator.numa;
  exports io.ewok.gds.allocator.leases to
      io.ewok.gds.pagestore;
}
