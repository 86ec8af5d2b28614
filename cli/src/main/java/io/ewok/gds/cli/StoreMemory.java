package io.ewok.gds.cli;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.ProcessMemory;

/** How much memory is meant by what is said of a store's, in bytes. */
final class StoreMemory {
  private StoreMemory() {}

  /**
   * A size, or a percentage of what this process may use, as its control group or the machine
   * limits it: then it is what fits beside the Java heap, since who takes more than the limit is
   * killed.
   *
   * @throws IllegalArgumentException if it is neither, or more than the heap leaves; the message
   *     ends in {@code name=text}
   */
  static long bytes(String name, String text) {
    return bytes(name, text, ProcessMemory.limitBytes(), Runtime.getRuntime().maxMemory());
  }

  static long bytes(String name, String text, long limitBytes, long heapBytes) {
    MemorySize size = MemorySize.parse(name, text);
    long bytes = size.bytes(limitBytes);
    long leftBytes = Math.max(0, limitBytes - heapBytes);
    if (size.isShare() && bytes > leftBytes) {
      throw new IllegalArgumentException(
          "of the %s that this process may use the Java heap may take %s, which leaves %d %% for the store; JDK_JAVA_OPTIONS=-Xmx… gives the heap less: %s=%s"
              .formatted(
                  Units.bytes(limitBytes),
                  Units.bytes(heapBytes),
                  100 * leftBytes / limitBytes,
                  name,
                  text));
    }
    return bytes;
  }
}
