package consumer;

import io.ewok.gds.ffm.LinuxMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Maps memory at an alignment that the JDK does not offer. */
final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(1 << 20, 1 << 20, arena);
      memory.set(ValueLayout.JAVA_INT, 0, 42);
      if (memory.address() % (1 << 20) != 0 || memory.get(ValueLayout.JAVA_INT, 0) != 42) {
        throw new AssertionError(memory);
      }
    }
  }
}
