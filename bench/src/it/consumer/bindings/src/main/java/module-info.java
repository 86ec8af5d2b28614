module consumer {
  requires io.ewok.gds.ffm;
}
