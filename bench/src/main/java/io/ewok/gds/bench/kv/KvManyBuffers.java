package io.ewok.gds.bench.kv;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;

/** Buffers for the keys and values of a get of several, in the forms in which stores want them. */
final class KvManyBuffers {
  final List<KvBuffers> all;
  final List<MemorySegment> keys;
  final List<ByteBuffer> keyBytes;
  final List<ByteBuffer> valueBytes;

  /** Of the values in bytes, -1 where there is none. */
  final int[] lengths;

  KvManyBuffers(int count) {
    all = Stream.generate(KvBuffers::new).limit(count).toList();
    keys = all.stream().map(each -> each.key).toList();
    keyBytes = all.stream().map(each -> each.keyBytes).toList();
    valueBytes = all.stream().map(each -> each.valueBytes).toList();
    lengths = new int[count];
  }
}
