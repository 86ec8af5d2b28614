package io.ewok.gds.ffm.unchecked;

import io.ewok.gds.ffm.NativeLibrary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads and writes memory by raw address, little-endian whatever the host.
 *
 * <p>Nothing is checked: no bounds, no lifetime, no alignment. The caller guarantees that every
 * byte from {@code address} on which a call touches belongs to memory mapped by {@link
 * io.ewok.gds.ffm.LinuxMemory} whose arena stays open until the call returns. A violation is not an
 * exception: it ends the process or corrupts it.
 *
 * <p>Threads: any. Plain accesses have no ordering. The acquire, release and compare-and-set forms
 * need an address that is a multiple of the value's size, and pair as in {@link VarHandle}: what a
 * thread wrote before a release is visible to the thread whose acquire reads the released value.
 *
 * {@snippet :
 * Memory.putLong(record + 8, length); // any thread, before publication
 * Memory.putIntRelease(record, READY); // partner: getIntAcquire in the reader
 * }
 *
 * <p>Errors: {@link UnsatisfiedLinkError} on first use when native access is denied; none after.
 */
public final class Memory {

  /*
   * One segment over the whole address space, in a static final, so that the JIT folds its bounds and scope checks
   * away. An address is then simply an offset.
   */
  private static final MemorySegment EVERYTHING = everything();

  private static final ValueLayout.OfShort SHORT_LE =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT_LE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG_LE =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
  private static final VarHandle SHORT = SHORT_LE.varHandle();
  private static final VarHandle INT = INT_LE.varHandle();
  private static final VarHandle LONG = LONG_LE.varHandle();
  private static final VarHandle LONG_BIG_ENDIAN =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN).varHandle();
  // Aligned, because only aligned accesses are atomic.
  private static final VarHandle ATOMIC_INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle ATOMIC_LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  /* Up to here words beat the vector code behind mismatch, whose start costs more than the comparison. */
  private static final long COMPARE_BY_WORDS_BYTES_MAX = 64;

  /** Size of a line of the processor's caches in bytes, as nearly all have it. */
  public static final int CACHE_LINE_BYTES = 64;

  private static final long SCARCELY = 0x9D3C_71E5_A60B_48F2L;

  private Memory() {}

  private static MemorySegment everything() {
    try {
      return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    } catch (IllegalCallerException denied) {
      throw NativeLibrary.accessDenied(denied);
    }
  }

  public static byte getByte(long address) {
    return (byte) BYTE.get(EVERYTHING, address);
  }

  public static void putByte(long address, byte value) {
    BYTE.set(EVERYTHING, address, value);
  }

  public static short getShort(long address) {
    return (short) SHORT.get(EVERYTHING, address);
  }

  public static void putShort(long address, short value) {
    SHORT.set(EVERYTHING, address, value);
  }

  public static int getInt(long address) {
    return (int) INT.get(EVERYTHING, address);
  }

  public static void putInt(long address, int value) {
    INT.set(EVERYTHING, address, value);
  }

  public static long getLong(long address) {
    return (long) LONG.get(EVERYTHING, address);
  }

  public static void putLong(long address, long value) {
    LONG.set(EVERYTHING, address, value);
  }

  /**
   * Has the processor bring the cache line of an address while it goes on: for several that are
   * needed next, of which each would be waited for otherwise. All 8 bytes from there on must be
   * readable.
   */
  public static void fetch(long address) {
    // The compiler leaves out a read whose value nobody wants. Where this is the value, it is a
    // pause.
    if (getLong(address) == SCARCELY) {
      Thread.onSpinWait();
    }
  }

  /** Sees everything written before the {@link #putIntRelease} whose value it reads. */
  public static int getIntAcquire(long address) {
    return (int) ATOMIC_INT.getAcquire(EVERYTHING, address);
  }

  /** Publishes everything written before it to the partner, {@link #getIntAcquire}. */
  public static void putIntRelease(long address, int value) {
    ATOMIC_INT.setRelease(EVERYTHING, address, value);
  }

  /** Sees everything written before the {@link #putLongRelease} whose value it reads. */
  public static long getLongAcquire(long address) {
    return (long) ATOMIC_LONG.getAcquire(EVERYTHING, address);
  }

  /** Publishes everything written before it to the partner, {@link #getLongAcquire}. */
  public static void putLongRelease(long address, long value) {
    ATOMIC_LONG.setRelease(EVERYTHING, address, value);
  }

  /** Sets the value if it is the expected one, as a volatile read and write; true if it did. */
  public static boolean compareAndSetInt(long address, int expected, int value) {
    return ATOMIC_INT.compareAndSet(EVERYTHING, address, expected, value);
  }

  /** Sets the value if it is the expected one, as a volatile read and write; true if it did. */
  public static boolean compareAndSetLong(long address, long expected, long value) {
    return ATOMIC_LONG.compareAndSet(EVERYTHING, address, expected, value);
  }

  /** Copies bytes from one address to another; the two ranges may overlap. */
  public static void copy(long sourceAddress, long targetAddress, long lengthBytes) {
    MemorySegment.copy(EVERYTHING, sourceAddress, EVERYTHING, targetAddress, lengthBytes);
  }

  /** Sets every byte of the range to one value. */
  public static void fill(long address, long lengthBytes, byte value) {
    EVERYTHING.asSlice(address, lengthBytes).fill(value);
  }

  /**
   * Copies from a segment, which is checked, to an address, which is not.
   *
   * @throws IndexOutOfBoundsException if the range is not inside the segment
   * @throws IllegalStateException if the segment's arena is closed
   */
  public static void copyFrom(
      MemorySegment source, long sourceOffset, long targetAddress, long lengthBytes) {
    MemorySegment.copy(source, sourceOffset, EVERYTHING, targetAddress, lengthBytes);
  }

  /**
   * Copies from an address, which is not checked, to a segment, which is.
   *
   * @throws IndexOutOfBoundsException if the range is not inside the segment
   * @throws IllegalStateException if the segment's arena is closed
   */
  public static void copyTo(
      long sourceAddress, MemorySegment target, long targetOffset, long lengthBytes) {
    MemorySegment.copy(EVERYTHING, sourceAddress, target, targetOffset, lengthBytes);
  }

  /**
   * Compares two byte strings as unsigned bytes, first difference first, a prefix before what it
   * begins.
   *
   * @return negative, zero or positive, as in {@link java.util.Arrays#compareUnsigned(byte[],
   *     byte[])}
   */
  public static int compareUnsigned(
      long addressA, long lengthBytesA, long addressB, long lengthBytesB) {
    long common = Math.min(lengthBytesA, lengthBytesB);
    int order =
        common <= COMPARE_BY_WORDS_BYTES_MAX
            ? compareByWords(addressA, addressB, common)
            : compareByMismatch(addressA, addressB, common);
    return order != 0 ? order : Long.compare(lengthBytesA, lengthBytesB);
  }

  /**
   * Compares bytes at an address, which is not checked, with all bytes of a segment, which is; in
   * the order of {@link #compareUnsigned(long, long, long, long)}.
   *
   * @throws IllegalStateException if the segment's arena is closed
   */
  public static int compareUnsigned(long address, long lengthBytes, MemorySegment other) {
    long common = Math.min(lengthBytes, other.byteSize());
    int order =
        common <= COMPARE_BY_WORDS_BYTES_MAX
            ? compareByWords(address, other, common)
            : compareByMismatch(address, other, common);
    return order != 0 ? order : Long.compare(lengthBytes, other.byteSize());
  }

  private static int compareByWords(long address, MemorySegment other, long lengthBytes) {
    long offset = 0;
    for (; offset <= lengthBytes - Long.BYTES; offset += Long.BYTES) {
      long a = (long) LONG_BIG_ENDIAN.get(EVERYTHING, address + offset);
      long b = (long) LONG_BIG_ENDIAN.get(other, offset);
      if (a != b) {
        return Long.compareUnsigned(a, b);
      }
    }
    for (; offset < lengthBytes; offset++) {
      int order = Byte.compareUnsigned(getByte(address + offset), (byte) BYTE.get(other, offset));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private static int compareByMismatch(long address, MemorySegment other, long lengthBytes) {
    long at =
        MemorySegment.mismatch(EVERYTHING, address, address + lengthBytes, other, 0, lengthBytes);
    return at < 0 ? 0 : Byte.compareUnsigned(getByte(address + at), (byte) BYTE.get(other, at));
  }

  private static int compareByWords(long addressA, long addressB, long lengthBytes) {
    long offset = 0;
    for (; offset <= lengthBytes - Long.BYTES; offset += Long.BYTES) {
      // As a big-endian number the first byte weighs most, so numbers and strings are ordered
      // alike.
      long a = (long) LONG_BIG_ENDIAN.get(EVERYTHING, addressA + offset);
      long b = (long) LONG_BIG_ENDIAN.get(EVERYTHING, addressB + offset);
      if (a != b) {
        return Long.compareUnsigned(a, b);
      }
    }
    for (; offset < lengthBytes; offset++) {
      int order = Byte.compareUnsigned(getByte(addressA + offset), getByte(addressB + offset));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private static int compareByMismatch(long addressA, long addressB, long lengthBytes) {
    long at =
        MemorySegment.mismatch(
            EVERYTHING,
            addressA,
            addressA + lengthBytes,
            EVERYTHING,
            addressB,
            addressB + lengthBytes);
    return at < 0 ? 0 : Byte.compareUnsigned(getByte(addressA + at), getByte(addressB + at));
  }

  /**
   * A segment over a range, bounded but without lifetime: access after the memory was unmapped is
   * not caught. For use inside a module only; what leaves a public API is a slice of the region's
   * own segment.
   *
   * @throws IndexOutOfBoundsException if address or length is negative
   */
  public static MemorySegment view(long address, long lengthBytes) {
    return EVERYTHING.asSlice(address, lengthBytes);
  }
}
