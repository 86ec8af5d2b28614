package io.ewok.gds.bench;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The C library's allocator as a rival, called as cheaply as Java can call it: the critical form
 * skips the change of thread state, which a call that never blocks may do.
 *
 * <p>This is the only class outside of the bindings that links native functions and writes memory
 * by raw address: what a rival does must not pass through the code that it is compared with.
 *
 * <p>Threads: any.
 */
@SuppressWarnings("restricted")
final class Malloc {
  private static final MethodHandle MALLOC_CRITICAL;
  private static final MethodHandle FREE_CRITICAL;
  private static final MethodHandle MALLOC;
  private static final MethodHandle FREE;
  private static final MethodHandle CALLOC_CRITICAL;
  private static final MethodHandle USABLE_BYTES;

  static {
    FunctionDescriptor malloc = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
    FunctionDescriptor free = FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG);
    FunctionDescriptor calloc =
        FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
    Linker.Option critical = Linker.Option.critical(false);
    MALLOC_CRITICAL = link("malloc", malloc, critical);
    FREE_CRITICAL = link("free", free, critical);
    MALLOC = link("malloc", malloc);
    FREE = link("free", free);
    CALLOC_CRITICAL = link("calloc", calloc, critical);
    USABLE_BYTES = link("malloc_usable_size", malloc);
  }

  /** One segment over the whole address space: an address is an offset. */
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Malloc() {}

  private static MethodHandle link(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
  }

  /** Returns the address of new memory with undefined contents. */
  static long allocateCritical(long bytes) {
    try {
      return notNull((long) MALLOC_CRITICAL.invokeExact(bytes));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void freeCritical(long address) {
    try {
      FREE_CRITICAL.invokeExact(address);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** As {@link #allocateCritical}, by a call that announces to the JVM that it leaves Java. */
  static long allocate(long bytes) {
    try {
      return notNull((long) MALLOC.invokeExact(bytes));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void free(long address) {
    try {
      FREE.invokeExact(address);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Returns the address of new memory that is zero. */
  static long allocateZeroedCritical(long bytes) {
    try {
      return notNull((long) CALLOC_CRITICAL.invokeExact(1L, bytes));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Returns how many bytes the block at an address really has, without its header. */
  static long usableBytes(long address) {
    try {
      return (long) USABLE_BYTES.invokeExact(address);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Writes the first eight bytes of a block: brings one of its cache lines in. */
  static void touch(long address) {
    EVERYTHING.set(ValueLayout.JAVA_LONG_UNALIGNED, address, address);
  }

  /** Sets bytes to zero. */
  static void clear(long address, long bytes) {
    EVERYTHING.asSlice(address, bytes).fill((byte) 0);
  }

  /** Reads the first eight bytes of a block. */
  static long read(long address) {
    return EVERYTHING.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }

  private static long notNull(long address) {
    if (address == 0) {
      throw new OutOfMemoryError("malloc has no memory");
    }
    return address;
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException(e);
  }
}
