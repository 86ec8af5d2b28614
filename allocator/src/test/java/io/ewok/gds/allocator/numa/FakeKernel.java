package io.ewok.gds.allocator.numa;

import io.ewok.gds.allocator.numa.PlacementPolicy.Mode;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.LinuxMemory.MemoryPolicy;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongToIntFunction;

/** A kernel of any age, on a machine of any nodes, behind any filter. Pages are only imagined. */
final class FakeKernel implements PolicyCalls {
  private final BitSet nodes = new BitSet();
  private final Set<Mode> modes = EnumSet.allOf(Mode.class);
  private final Map<String, Integer> refused = new HashMap<>();

  /** Names of the calls in their order. */
  final List<String> calls = new ArrayList<>();

  private MemoryPolicy policy = new MemoryPolicy(0, new BitSet());

  /** Node of a page by its number, counted from address 0; negative as move_pages says it. */
  private LongToIntFunction place = page -> -Errno.ENOENT;

  /** A machine whose nodes with memory are these. */
  FakeKernel(int... nodes) {
    for (int node : nodes) {
      this.nodes.set(node);
    }
  }

  FakeKernel refuses(String call, int errno) {
    refused.put(call, errno);
    return this;
  }

  FakeKernel doesNotKnow(Mode mode) {
    modes.remove(mode);
    return this;
  }

  /** As if the memory had been written. */
  FakeKernel places(LongToIntFunction place) {
    this.place = place;
    return this;
  }

  /** As if something else had set the policy. */
  FakeKernel keeps(int mode, BitSet nodes) {
    policy = new MemoryPolicy(mode, nodes);
    return this;
  }

  @Override
  public void mbind(MemorySegment memory, int mode, BitSet wanted) throws ErrnoException {
    enter("mbind");
    BitSet usable = (BitSet) wanted.clone();
    usable.and(nodes);
    if (modes.stream().noneMatch(known -> known.number == mode)
        || (usable.isEmpty() && !wanted.isEmpty())) {
      throw new ErrnoException("mbind", Errno.EINVAL);
    }
    policy = new MemoryPolicy(mode, usable);
  }

  @Override
  public MemoryPolicy getMempolicy(long address) throws ErrnoException {
    enter("get_mempolicy");
    return policy;
  }

  @Override
  public int[] movePagesQuery(long[] addresses) throws ErrnoException {
    enter("move_pages");
    int[] result = new int[addresses.length];
    for (int i = 0; i < addresses.length; i++) {
      result[i] = place.applyAsInt(addresses[i] / LinuxMemory.pageSizeBytes());
    }
    return result;
  }

  private void enter(String call) throws ErrnoException {
    calls.add(call);
    Integer errno = refused.get(call);
    if (errno != null) {
      throw new ErrnoException(call, errno);
    }
  }
}
