package io.ewok.gds.allocator.numa;

import io.ewok.gds.allocator.numa.PlacementPolicy.Mode;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.LinuxMemory.MemoryPolicy;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Optional;
import java.util.SortedMap;
import java.util.StringJoiner;

/**
 * What came of a {@link PlacementPolicy}: the kernel may refuse it (a container's filter, a kernel
 * without NUMA), know only a part of it, or put pages elsewhere because a node is full. None of
 * that is an error: the memory is usable, and {@link #reason} tells what is not as requested.
 *
 * <p>Order matters: a policy acts when a page is first written. So request it on a fresh mapping,
 * then let the memory be touched, then verify.
 *
 * <p>Ownership: an immutable value, which does not hold on to the memory. Threads: any.
 *
 * {@snippet :
 * Placement requested = Placement.request(memory, PlacementPolicy.preferred(1));
 * LinuxMemory.populate(memory);
 * Placement placement = requested.verify(memory);
 * if (placement.isDegraded()) {
 *   logger.log(WARNING, placement.toString());
 * }
 * }
 */
public final class Placement {
  /** Flags of linux/mempolicy.h beside the number of a mode. */
  private static final int MODE_FLAGS = 7 << 13;

  private final PlacementPolicy requested;

  /** What mbind took, {@code default} if nothing. */
  private final PlacementPolicy accepted;

  /** Why that is not what was requested, or empty. */
  private final String refusal;

  private final PlacementPolicy effective;
  private final PageSample sample;
  private final String reason;

  private Placement(
      PlacementPolicy requested,
      PlacementPolicy accepted,
      String refusal,
      PlacementPolicy effective,
      PageSample sample,
      String reason) {
    this.requested = requested;
    this.accepted = accepted;
    this.refusal = refusal;
    this.effective = effective;
    this.sample = sample;
    this.reason = reason;
  }

  /**
   * Asks the kernel to place memory that has not been touched yet. {@code default} asks for nothing
   * and makes no call.
   *
   * @param memory a live native segment that begins at a page of the operating system; its last
   *     page is taken whole
   * @return what the kernel made of it, before any page was looked at
   * @throws IllegalArgumentException if the segment is on the heap or not aligned
   * @throws IllegalStateException if its scope has ended
   */
  public static Placement request(MemorySegment memory, PlacementPolicy policy) {
    return request(memory, policy, PolicyCalls.KERNEL);
  }

  static Placement request(MemorySegment memory, PlacementPolicy policy, PolicyCalls calls) {
    check(memory);
    PlacementPolicy accepted = PlacementPolicy.none();
    String refusal = "";
    if (policy.mode() != Mode.DEFAULT) {
      Optional<PlacementPolicy> older = policy.forOlderKernel();
      try {
        calls.mbind(memory, policy.mode().number, policy.nodes());
        accepted = policy;
      } catch (ErrnoException e) {
        refusal = refusal(e);
        if (e.errno() == Errno.EINVAL && older.isPresent()) {
          try {
            calls.mbind(memory, older.get().mode().number, older.get().nodes());
            accepted = older.get();
            refusal = "the kernel does not know " + policy.mode() + ", took " + older.get();
          } catch (ErrnoException again) {
            refusal = refusal(again);
          }
        }
      }
    }
    return observe(memory, policy, accepted, refusal, false, calls);
  }

  /**
   * Looks again: which policy the memory has by its first page, and where up to 64 pages, spread
   * over all of it, really lie. Touches none of them. As often as one likes.
   *
   * @param memory what the policy was requested for
   * @throws IllegalArgumentException if the segment is on the heap or not aligned
   * @throws IllegalStateException if its scope has ended
   */
  public Placement verify(MemorySegment memory) {
    return verify(memory, PolicyCalls.KERNEL);
  }

  Placement verify(MemorySegment memory, PolicyCalls calls) {
    check(memory);
    return observe(memory, requested, accepted, refusal, true, calls);
  }

  private static void check(MemorySegment memory) {
    if (!memory.isNative()) {
      throw new IllegalArgumentException("only native memory has a place: memory=" + memory);
    }
    if (!memory.scope().isAlive()) {
      throw new IllegalStateException("the memory is no longer there: memory=" + memory);
    }
    if (memory.address() % LinuxMemory.pageSizeBytes() != 0) {
      throw new IllegalArgumentException(
          "memory must begin at a page: address=0x" + Long.toHexString(memory.address()));
    }
  }

  private static String refusal(ErrnoException e) {
    String why = "";
    if (e.errno() == Errno.EPERM || e.errno() == Errno.EACCES) {
      why = " (a container's filter forbids it)";
    } else if (e.errno() == Errno.ENOSYS) {
      why = " (a kernel without NUMA, or a filter that hides it)";
    } else if (e.errno() == Errno.EINVAL) {
      why = " (the nodes are absent, without memory or not allowed to this process)";
    }
    return e.call() + " refused with " + e.errnoName() + why;
  }

  private static Placement observe(
      MemorySegment memory,
      PlacementPolicy requested,
      PlacementPolicy accepted,
      String refusal,
      boolean sampled,
      PolicyCalls calls) {
    StringJoiner reasons = new StringJoiner("; ");
    if (!refusal.isEmpty()) {
      reasons.add(refusal);
    }
    PlacementPolicy effective = accepted;
    PageSample sample = PageSample.NONE;
    try {
      effective = policyOf(calls.getMempolicy(memory.address())).orElse(accepted);
      if (!effective.equals(accepted)) {
        reasons.add(
            effective.mode() == accepted.mode()
                ? "the kernel keeps " + effective + ", without nodes that it cannot use"
                : "somebody else's policy is in force, " + effective);
      }
      if (sampled) {
        sample = PageSample.of(memory, calls);
        int outside = requested.nodes().isEmpty() ? 0 : sample.outside(requested.nodes());
        if (outside > 0) {
          reasons.add(outside + " of " + sample.touchedPages() + " sampled pages lie elsewhere");
        }
      }
    } catch (ErrnoException e) {
      reasons.add("cannot be verified: " + refusal(e));
    }
    // Who requests nothing cannot be disappointed.
    String reason = requested.mode() == Mode.DEFAULT ? "" : reasons.toString();
    return new Placement(requested, accepted, refusal, effective, sample, reason);
  }

  /** The kernel's words in ours; nothing for what no kernel says that this program knows of. */
  private static Optional<PlacementPolicy> policyOf(MemoryPolicy policy) {
    int number = policy.mode() & ~MODE_FLAGS;
    BitSet nodes = policy.nodes();
    if (number == Mode.PREFERRED.number && nodes.isEmpty()) {
      // Local, before Linux 5.14.
      return Optional.of(PlacementPolicy.local());
    }
    for (Mode mode : Mode.values()) {
      if (mode.number == number && mode.takes(nodes)) {
        return Optional.of(new PlacementPolicy(mode, nodes));
      }
    }
    return Optional.empty();
  }

  /** The policy that was asked for. */
  public PlacementPolicy requested() {
    return requested;
  }

  /**
   * The policy that the memory has: as the kernel says, or where it does not say, what it has
   * taken.
   */
  public PlacementPolicy effective() {
    return effective;
  }

  /** How many of the sampled pages lie on each node, by its number; empty before verification. */
  public SortedMap<Integer, Integer> pagesByNode() {
    return sample.pagesByNode();
  }

  /** How many of the sampled pages have no memory yet. */
  public int untouchedPages() {
    return sample.untouchedPages();
  }

  /** What is not as requested or could not be verified, as a sentence; empty if all is well. */
  public String reason() {
    return reason;
  }

  /** Whether there is a {@link #reason}. */
  public boolean isDegraded() {
    return !reason.isEmpty();
  }

  /** All of it in one line. */
  @Override
  public String toString() {
    return "Placement[requested="
        + requested
        + " effective="
        + effective
        + " pagesByNode="
        + pagesByNode()
        + " untouchedPages="
        + untouchedPages()
        + (isDegraded() ? " reason=" + reason : "")
        + "]";
  }
}
