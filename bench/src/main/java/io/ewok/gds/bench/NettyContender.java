package io.ewok.gds.bench;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.function.LongSupplier;

/** Rival: direct buffers of Netty's two pooling allocators. */
final class NettyContender implements Contender, Contender.Slots {
  private final ByteBufAllocator allocator;
  private final LongSupplier committedBytes;
  private final ByteBuf[] buffers;

  private NettyContender(ByteBufAllocator allocator, LongSupplier committedBytes, int slots) {
    this.allocator = allocator;
    this.committedBytes = committedBytes;
    this.buffers = new ByteBuf[slots];
  }

  /**
   * Netty's default allocator.
   *
   * @param threadLocal whether each thread has magazines of its own, as event loops have, or all
   *     share striped ones
   */
  static NettyContender adaptive(int slots, boolean threadLocal) {
    AdaptiveByteBufAllocator allocator = new AdaptiveByteBufAllocator(true, threadLocal);
    return new NettyContender(allocator, allocator::usedDirectMemory, slots);
  }

  /** The allocator that was the default before; its caches are thread-local. */
  static NettyContender pooled(int slots) {
    PooledByteBufAllocator allocator = new PooledByteBufAllocator(true);
    return new NettyContender(allocator, allocator.metric()::usedDirectMemory, slots);
  }

  @Override
  public Slots slots() {
    return this;
  }

  @Override
  public void allocate(int slot, int bytes) {
    ByteBuf buffer = allocator.directBuffer(bytes);
    buffers[slot] = buffer;
    buffer.setLong(0, slot);
  }

  @Override
  public void write(int slot, int bytes) {
    buffers[slot].setZero(0, bytes);
  }

  @Override
  public void free(int slot) {
    ByteBuf buffer = buffers[slot];
    buffers[slot] = null;
    buffer.release();
  }

  @Override
  public long usedBytes() {
    long bytes = 0;
    for (ByteBuf buffer : buffers) {
      if (buffer != null) {
        // Nothing has been written through the index, so all of the cell counts.
        bytes += buffer.maxFastWritableBytes();
      }
    }
    return bytes;
  }

  @Override
  public long committedBytes() {
    return committedBytes.getAsLong();
  }

  @Override
  public long residentBytes() {
    return -1;
  }

  @Override
  public void close() {}
}
