import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.SlabAllocator;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.allocator.StaleHandleException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/**
 * A ring of sessions outside of the heap: the newest 100,000 of a million, of 32 to 287 bytes each.
 * The heap has a handle of each, a long; who uses one that was freed gets an exception, not
 * somebody else's memory.
 */
final class AllocatorAlone {
  private static final int KEPT = 100_000;
  private static final int SESSIONS = 1_000_000;

  static void main(String[] arguments) {
    Random random = new Random(1);
    MemoryBudget budget = MemoryBudget.root("sessions", 64 << 20);
    try (SlabAllocator slabs = new SlabAllocator(budget, SlabOptions.named("sessions"))) {
      long[] handles = new long[KEPT];
      long stale = SlabAllocator.NONE;
      for (int i = 0; i < SESSIONS; i++) {
        int place = i % KEPT;
        if (i >= KEPT) {
          slabs.free(handles[place]);
          stale = handles[place];
        }
        int bytes = 32 + random.nextInt(256);
        long handle = slabs.allocate(bytes);
        if (handle == SlabAllocator.NONE) {
          throw new IllegalStateException("the budget is full: " + budget);
        }
        MemorySegment session = slabs.segment(handle, bytes);
        session.set(ValueLayout.JAVA_INT, 0, i);
        handles[place] = handle;
      }
      for (int place = 0; place < KEPT; place++) {
        int session = slabs.segment(handles[place], Integer.BYTES).get(ValueLayout.JAVA_INT, 0);
        if (session != SESSIONS - KEPT + place) {
          throw new AssertionError("session=" + session);
        }
      }
      IO.println(
          KEPT
              + " sessions in "
              + (budget.usedBytes() >> 20)
              + " MiB of "
              + (budget.limitBytes() >> 20));
      try {
        slabs.free(stale);
      } catch (StaleHandleException e) {
        IO.println("freed twice: " + e.getClass().getSimpleName());
      }
      for (long handle : handles) {
        slabs.free(handle); // else the allocator says at its close what was forgotten
      }
    }
    IO.println("after close: " + budget.usedBytes() + " bytes");
  }
}
