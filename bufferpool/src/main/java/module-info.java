/**
 * A buffer manager over page files and block files, and a write-ahead log that can be used without
 * it.
 */
module io.ewok.gds.bufferpool {
  requires transitive io.ewok.gds.allocator;
  requires transitive io.ewok.gds.pagestore;
  requires static com.dynatrace.hash4j;

  exports io.ewok.gds.buffers;
  exports io.ewok.gds.buffers.eviction;
  exports io.ewok.gds.buffers.redo;
  exports io.ewok.gds.wal;
  exports io.ewok.gds.wal.cache;
}
