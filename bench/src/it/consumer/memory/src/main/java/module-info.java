module consumer {
  requires io.ewok.gds.allocator;
}
