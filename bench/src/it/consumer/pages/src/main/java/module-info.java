module consumer {
  requires io.ewok.gds.pagestore;
}
