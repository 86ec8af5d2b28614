module consumer {
  requires io.ewok.gds.micrometer;
}
