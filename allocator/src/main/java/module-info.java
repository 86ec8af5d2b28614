/** Off-heap memory: regions, bump arenas and frame pools under one budget. */
module io.ewok.gds.allocator {
  requires io.ewok.gds.ffm;

  exports io.ewok.gds.allocator;
}
