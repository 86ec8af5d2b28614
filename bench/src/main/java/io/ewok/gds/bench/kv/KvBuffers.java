package io.ewok.gds.bench.kv;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** A key and a value outside of the heap, in the forms in which stores want them. */
final class KvBuffers {
  final ByteBuffer keyBytes = ByteBuffer.allocateDirect(KvData.KEY_BYTES);
  final ByteBuffer valueBytes = ByteBuffer.allocateDirect(KvData.VALUE_BYTES);

  /** The same memory. */
  final MemorySegment key = MemorySegment.ofBuffer(keyBytes);

  final MemorySegment value = MemorySegment.ofBuffer(valueBytes);
}
