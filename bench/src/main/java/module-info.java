/** Benchmarks of every layer, with the rivals beside us. Never published. */
module io.ewok.gds.bench {
  requires HdrHistogram;
  requires com.fasterxml.jackson.core;
  requires com.github.benmanes.caffeine;
  requires io.ewok.gds.allocator;
  requires io.ewok.gds.bufferpool;
  requires io.ewok.gds.cli;
  requires io.ewok.gds.ffm;
  requires io.ewok.gds.lsm;
  requires io.ewok.gds.pagestore;
  requires io.netty.buffer;
  requires io.netty.common;
  requires java.management;
  requires jdk.management;
  requires jmh.core;
  requires lmdbjava;
  requires rocksdbjni;
}
