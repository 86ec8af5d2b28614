package io.ewok.gds.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the benchmarks of allocators share: nanoseconds for each block, and forks in which the
 * rivals run at their best. Netty gets {@code sun.misc.Unsafe}, which it refuses by default on Java
 * 25, threads of its own kind, no leak detection, and a heap above the 512 MiB below which it turns
 * its caches off.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 3,
    jvmArgsAppend = {
      AllocationSuite.NATIVE_ACCESS,
      AllocationSuite.UNSAFE,
      AllocationSuite.NO_CLEANER,
      AllocationSuite.NO_LEAK_DETECTION,
      AllocationSuite.HEAP_LEAST,
      AllocationSuite.HEAP_MOST,
      "-Djmh.executor=CUSTOM",
      "-Djmh.executor.class=io.ewok.gds.bench.NettyThreads",
    })
public abstract class AllocationSuite {
  static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";
  static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";
  static final String NO_CLEANER = "--add-opens=java.base/java.nio=ALL-UNNAMED";
  static final String NO_LEAK_DETECTION = "-Dio.netty.leakDetection.level=disabled";
  static final String HEAP_LEAST = "-Xms1g";
  static final String HEAP_MOST = "-Xmx1g";

  /** The arguments of a fork that JMH does not start. */
  static final List<String> JVM_ARGS =
      List.of(NATIVE_ACCESS, UNSAFE, NO_CLEANER, NO_LEAK_DETECTION, HEAP_LEAST, HEAP_MOST);

  private static final int POLLUTION_ROUNDS = 20_000;

  /**
   * Shows the JVM segments of all kinds, as a real program would: a profile that has seen one kind
   * only makes the checks of access cheaper than they are in life.
   *
   * @return a number that depends on all accesses
   */
  static long polluteProfiles() {
    long sum = 0;
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      MemorySegment[] segments = {
        confined.allocate(64),
        shared.allocate(64),
        Arena.ofAuto().allocate(64),
        MemorySegment.ofArray(new long[8]),
        MemorySegment.ofArray(new byte[64]),
      };
      for (int i = 0; i < POLLUTION_ROUNDS; i++) {
        MemorySegment segment = segments[i % segments.length];
        segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, i);
        sum += segment.asSlice(0, 16).get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
      }
    }
    return sum;
  }
}
