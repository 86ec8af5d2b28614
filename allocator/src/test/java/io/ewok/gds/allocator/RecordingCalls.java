package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.Placement;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.ffm.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The real calls, written down; one of them can be refused. Explicit huge pages come from ordinary
 * memory, so that no pool is needed.
 */
class RecordingCalls implements MappingCalls {
  final List<String> made = Collections.synchronizedList(new ArrayList<>());
  private final String refused;
  private final int errno;

  RecordingCalls() {
    this("", 0);
  }

  /** Refuses the calls of a name. */
  RecordingCalls(String refused, int errno) {
    this.refused = refused;
    this.errno = errno;
  }

  private void make(String call) throws ErrnoException {
    made.add(call);
    if (call.equals(refused)) {
      throw new ErrnoException(call, errno);
    }
  }

  @Override
  public MemorySegment map(long sizeBytes, long alignmentBytes, Arena arena) throws ErrnoException {
    make("map");
    return MappingCalls.super.map(sizeBytes, alignmentBytes, arena);
  }

  @Override
  public MemorySegment reserve(long sizeBytes, long alignmentBytes, Arena arena)
      throws ErrnoException {
    make("reserve");
    return MappingCalls.super.reserve(sizeBytes, alignmentBytes, arena);
  }

  @Override
  public MemorySegment mapHugePages(long sizeBytes, Arena arena) throws ErrnoException {
    make("mapHugePages");
    return MappingCalls.super.map(sizeBytes, Region.UNIT_BYTES, arena);
  }

  @Override
  public Placement place(MemorySegment memory, PlacementPolicy policy) {
    made.add(isTouched(memory) ? "place too late" : "place");
    return MappingCalls.super.place(memory, policy);
  }

  @Override
  public Placement verify(MemorySegment memory, Placement placement) {
    made.add("verify");
    return MappingCalls.super.verify(memory, placement);
  }

  @Override
  public void adviseHugePages(MemorySegment memory) throws ErrnoException {
    make(isTouched(memory) ? "advise too late" : "advise");
    MappingCalls.super.adviseHugePages(memory);
  }

  @Override
  public void adviseNoHugePages(MemorySegment memory) throws ErrnoException {
    make(isTouched(memory) ? "advise too late" : "adviseNot");
    MappingCalls.super.adviseNoHugePages(memory);
  }

  @Override
  public void populate(MemorySegment memory) throws ErrnoException {
    make("populate");
    MappingCalls.super.populate(memory);
  }

  @Override
  public void lock(MemorySegment memory) throws ErrnoException {
    make("lock");
    MappingCalls.super.lock(memory);
  }

  @Override
  public void unlock(MemorySegment memory) throws ErrnoException {
    make("unlock");
    MappingCalls.super.unlock(memory);
  }

  @Override
  public void discard(MemorySegment memory) throws ErrnoException {
    make("discard");
    MappingCalls.super.discard(memory);
  }

  private static boolean isTouched(MemorySegment memory) {
    return Resident.pages(memory) > 0;
  }
}
