module consumer {
  requires io.ewok.gds.bufferpool;
}
