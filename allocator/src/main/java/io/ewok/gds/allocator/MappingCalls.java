package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.Placement;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The kernel's calls behind a {@link RegionMapping}, so that tests can watch their order and refuse
 * some. Each does what the call of that name does.
 */
interface MappingCalls {
  /** The kernel that runs us. */
  MappingCalls KERNEL = new MappingCalls() {};

  default MemorySegment map(long sizeBytes, long alignmentBytes, Arena arena)
      throws ErrnoException {
    return LinuxMemory.map(sizeBytes, alignmentBytes, arena);
  }

  default MemorySegment reserve(long sizeBytes, long alignmentBytes, Arena arena)
      throws ErrnoException {
    return LinuxMemory.reserve(sizeBytes, alignmentBytes, arena);
  }

  default MemorySegment mapHugePages(long sizeBytes, Arena arena) throws ErrnoException {
    return LinuxMemory.mapHugePages(sizeBytes, arena);
  }

  default NumaTopology topology() {
    return NumaTopology.read();
  }

  default Placement place(MemorySegment memory, PlacementPolicy policy) {
    return Placement.request(memory, policy);
  }

  default Placement verify(MemorySegment memory, Placement placement) {
    return placement.verify(memory);
  }

  default void adviseHugePages(MemorySegment memory) throws ErrnoException {
    LinuxMemory.adviseHugePages(memory);
  }

  default void adviseNoHugePages(MemorySegment memory) throws ErrnoException {
    LinuxMemory.adviseNoHugePages(memory);
  }

  default void populate(MemorySegment memory) throws ErrnoException {
    LinuxMemory.populate(memory);
  }

  default void lock(MemorySegment memory) throws ErrnoException {
    LinuxMemory.lock(memory);
  }

  default void unlock(MemorySegment memory) throws ErrnoException {
    LinuxMemory.unlock(memory);
  }

  default void discard(MemorySegment memory) throws ErrnoException {
    LinuxMemory.discard(memory);
  }
}
