package io.ewok.gds.bench.kv;

import java.lang.foreign.MemorySegment;

/** Keeps nothing, and answers what the workload expects. */
final class EmptyKvStore implements KvStore {
  private final KvData data;

  EmptyKvStore(KvData data) {
    this.data = data;
  }

  @Override
  public KvSession session(KvBuffers buffers) {
    return new Session(buffers);
  }

  @Override
  public void settle() {}

  @Override
  public void close() {}

  private final class Session implements KvSession {
    private final MemorySegment key;
    private final MemorySegment value;
    private int slot;

    Session(KvBuffers buffers) {
      key = buffers.key;
      value = buffers.value;
    }

    @Override
    public void put() {}

    @Override
    public void beginBatch() {}

    @Override
    public void endBatch() {}

    /** Answers with the beginning of the value alone. */
    @Override
    public int get() {
      int wanted = (int) KvData.slot(key);
      int version = data.version(wanted);
      if (version <= 0) {
        return -1;
      }
      KvData.putHead(value, wanted, version);
      return KvData.VALUE_BYTES;
    }

    @Override
    public void putSecond() {}

    @Override
    public int getSecond() {
      return data.isSecondLoaded() ? get() : -1;
    }

    @Override
    public void putEmpty() {}

    @Override
    public int readAndPut(KvBuffers written) {
      return get();
    }

    @Override
    public void singleDelete() {}

    @Override
    public void compact() {}

    @Override
    public void deleteRange(KvBuffers end) {}

    @Override
    public void add(long number) {}

    @Override
    public long counter() {
      return data.counters.sum((int) KvData.slot(key));
    }

    @Override
    public void beginScan() {}

    @Override
    public boolean first() {
      slot = -1;
      return next();
    }

    @Override
    public boolean last() {
      slot = data.slots();
      return previous();
    }

    @Override
    public boolean seek() {
      slot = (int) KvData.slot(key) - 1;
      return next();
    }

    @Override
    public boolean next() {
      do {
        slot++;
      } while (slot < data.slots() && !data.isThere(slot));
      return slot < data.slots();
    }

    @Override
    public boolean previous() {
      do {
        slot--;
      } while (slot >= 0 && !data.isThere(slot));
      return slot >= 0;
    }

    @Override
    public long keyHead() {
      return slot;
    }

    @Override
    public long valueHead() {
      return slot;
    }

    @Override
    public void endScan() {}

    @Override
    public void close() {}
  }
}
