package io.ewok.gds.allocator;

/**
 * What any thread may call on a {@link SlabAllocator} and an owner on its {@link SlabShard}, so
 * that one test drives both.
 */
interface SlabCalls {
  long allocate(int bytes);

  long allocate(int bytes, int alignmentBytes);

  long allocateZeroed(int bytes);

  int allocateBatch(int bytes, long[] handles, int from, int count);

  void free(long handle);

  void freeBatch(long[] handles, int from, int count);

  /** Puts what the owner keeps for itself at the disposal of others. */
  void flush();

  static SlabCalls ofAnyThread(SlabAllocator allocator) {
    return new SlabCalls() {
      @Override
      public long allocate(int bytes) {
        return allocator.allocate(bytes);
      }

      @Override
      public long allocate(int bytes, int alignmentBytes) {
        return allocator.allocate(bytes, alignmentBytes);
      }

      @Override
      public long allocateZeroed(int bytes) {
        return allocator.allocateZeroed(bytes);
      }

      @Override
      public int allocateBatch(int bytes, long[] handles, int from, int count) {
        return allocator.allocateBatch(bytes, handles, from, count);
      }

      @Override
      public void free(long handle) {
        allocator.free(handle);
      }

      @Override
      public void freeBatch(long[] handles, int from, int count) {
        allocator.freeBatch(handles, from, count);
      }

      @Override
      public void flush() {}
    };
  }

  /** Calls on a shard of its own, which {@link #flush} closes and replaces. */
  static SlabCalls ofShards(SlabAllocator allocator) {
    return new SlabCalls() {
      private SlabShard shard = allocator.shard();

      @Override
      public long allocate(int bytes) {
        return shard.allocate(bytes);
      }

      @Override
      public long allocate(int bytes, int alignmentBytes) {
        return shard.allocate(bytes, alignmentBytes);
      }

      @Override
      public long allocateZeroed(int bytes) {
        return shard.allocateZeroed(bytes);
      }

      @Override
      public int allocateBatch(int bytes, long[] handles, int from, int count) {
        return shard.allocateBatch(bytes, handles, from, count);
      }

      @Override
      public void free(long handle) {
        shard.free(handle);
      }

      @Override
      public void freeBatch(long[] handles, int from, int count) {
        shard.freeBatch(handles, from, count);
      }

      @Override
      public void flush() {
        shard.close();
        shard = allocator.shard();
      }
    };
  }
}
