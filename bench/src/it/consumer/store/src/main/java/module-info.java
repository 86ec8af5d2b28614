module consumer {
  requires io.ewok.gds.lsm;
}
