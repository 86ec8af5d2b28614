package io.ewok.gds.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Rival: one confined arena of the JDK for each block. It clears the memory, which others need not.
 */
final class ArenaContender implements Contender, Contender.Slots {
  private final Arena[] arenas;
  private final MemorySegment[] blocks;

  ArenaContender(int slots) {
    arenas = new Arena[slots];
    blocks = new MemorySegment[slots];
  }

  @Override
  public Slots slots() {
    return this;
  }

  @Override
  public void allocate(int slot, int bytes) {
    Arena arena = Arena.ofConfined();
    MemorySegment block = arena.allocate(bytes);
    arenas[slot] = arena;
    blocks[slot] = block;
    block.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, slot);
  }

  @Override
  public void write(int slot, int bytes) {
    blocks[slot].fill((byte) 0);
  }

  @Override
  public void free(int slot) {
    blocks[slot] = null;
    arenas[slot].close();
    arenas[slot] = null;
  }

  @Override
  public long usedBytes() {
    return -1;
  }

  @Override
  public long committedBytes() {
    return -1;
  }

  @Override
  public long residentBytes() {
    return -1;
  }

  @Override
  public void close() {}
}
