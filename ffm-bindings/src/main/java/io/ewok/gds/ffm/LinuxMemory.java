package io.ewok.gds.ffm;

import static io.ewok.gds.ffm.ErrnoException.check;

import io.ewok.gds.ffm.natives.Gds;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * Anonymous memory straight from the kernel, and advice about it.
 *
 * <p>A mapping lives as long as the arena it was given: when that closes, the memory is unmapped
 * and every access through the segment is an {@link IllegalStateException}. Advice refers to whole
 * OS pages: segments that are passed to it should begin and end on them.
 *
 * <p>Threads: any, as the arena allows. {@link #populate} and {@link #lock} touch every page and
 * can take seconds.
 *
 * {@snippet :
 * try (Arena arena = Arena.ofShared()) {
 *   MemorySegment memory = LinuxMemory.map(64L << 20, 2L << 20, arena);
 *   LinuxMemory.adviseHugePages(memory);
 *   LinuxMemory.populate(memory);
 * }
 * }
 *
 * <p>Errors: {@link ErrnoException}; ENOMEM is one of them, never an OutOfMemoryError.
 */
public final class LinuxMemory {

  /* Numbers of linux/mman.h and linux/mempolicy.h; alike on x86-64 and aarch64. */
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_NOHUGEPAGE = 15;
  private static final int MADV_POPULATE_WRITE = 23;
  private static final long MPOL_F_ADDR = 1 << 1;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MAP_HUGETLB = 0x40000;

  /** The base-2 logarithm of the page's size, where the kernel looks for it. */
  private static final int MAP_HUGE_2MB = 21 << 26;

  private static final long HUGE_PAGE_BYTES = 2L << 20;

  /**
   * As many nodes as a kernel can be built for; it refuses to answer into less than it was built
   * for.
   */
  private static final int NODES_MAX = 1024;

  /** The kernel counts one bit less than it is told. */
  private static final int NODE_MASK_BITS = NODES_MAX + 1;

  private LinuxMemory() {}

  /**
   * Policy of a page: the kernel's mode (MPOL_DEFAULT is 0) and the nodes it names.
   *
   * @param mode number of linux/mempolicy.h, with its mode flags
   * @param nodes the nodes; empty for the default policy
   */
  public record MemoryPolicy(int mode, BitSet nodes) {

    /** Keeps a copy of the nodes. */
    public MemoryPolicy {
      nodes = (BitSet) nodes.clone();
    }

    /** A copy. */
    @Override
    public BitSet nodes() {
      return (BitSet) nodes.clone();
    }
  }

  /** Size of an OS page. */
  public static long pageSizeBytes() {
    return Gds.gds_page_size();
  }

  /**
   * Maps private, zeroed memory that nothing backs.
   *
   * @param sizeBytes size of the segment; the mapping is rounded up to OS pages
   * @param alignmentBytes of the first address, a power of two; at least an OS page is given
   * @param arena unmaps the memory when it is closed
   * @return a segment of exactly {@code sizeBytes} in the arena's scope
   * @throws ErrnoException ENOMEM where the address space, the process's limit or the system's
   *     commitment is exhausted
   * @throws IllegalArgumentException if the size is not positive, the alignment not a power of two,
   *     or their sum too large
   */
  public static MemorySegment map(long sizeBytes, long alignmentBytes, Arena arena)
      throws ErrnoException {
    return map(sizeBytes, alignmentBytes, arena, 0);
  }

  /**
   * As {@link #map}, without counting the memory as promised: what it becomes is known only when it
   * is touched. For address space of which little is used at a time.
   */
  public static MemorySegment reserve(long sizeBytes, long alignmentBytes, Arena arena)
      throws ErrnoException {
    return map(sizeBytes, alignmentBytes, arena, MAP_NORESERVE);
  }

  /**
   * Maps memory from the kernel's pool of explicit huge pages (hugetlbfs) of 2 MiB. The pool sets
   * as many pages aside; but a NUMA policy can make the first access to a page fatal although the
   * pool has some on other nodes: {@link #populate} it before use.
   *
   * @param sizeBytes a multiple of 2 MiB
   * @throws ErrnoException ENOMEM where the pool has not enough free pages; EINVAL, ENODEV or
   *     ENOSYS where the kernel has none of that size
   */
  public static MemorySegment mapHugePages(long sizeBytes, Arena arena) throws ErrnoException {
    if (sizeBytes <= 0 || sizeBytes % HUGE_PAGE_BYTES != 0) {
      throw new IllegalArgumentException(
          "huge pages are whole ones of 2 MiB: sizeBytes=" + sizeBytes);
    }
    long address =
        check("mmap(MAP_HUGETLB)", Gds.gds_mmap_anonymous(sizeBytes, MAP_HUGETLB | MAP_HUGE_2MB));
    return inArena(address, sizeBytes, sizeBytes, arena);
  }

  private static MemorySegment map(long sizeBytes, long alignmentBytes, Arena arena, int flags)
      throws ErrnoException {
    if (sizeBytes <= 0) {
      throw new IllegalArgumentException("size must be positive: sizeBytes=" + sizeBytes);
    }
    if (Long.bitCount(alignmentBytes) != 1 || alignmentBytes < 0) {
      throw new IllegalArgumentException(
          "alignment must be a power of two: alignmentBytes=" + alignmentBytes);
    }
    long page = pageSizeBytes();
    long slack = Math.max(alignmentBytes, page) - page;
    // The sum may not overflow, and so neither may the rounding.
    if (sizeBytes > Long.MAX_VALUE - slack - page) {
      throw new IllegalArgumentException(
          "size is beyond any address space: sizeBytes="
              + sizeBytes
              + " alignmentBytes="
              + alignmentBytes);
    }
    long mappedBytes = (sizeBytes + page - 1) & -page;
    long start = check("mmap", Gds.gds_mmap_anonymous(mappedBytes + slack, flags));
    long address = (start + slack) & -(slack + page);
    unmap(start, address - start);
    unmap(address + mappedBytes, start + slack - address);
    return inArena(address, sizeBytes, mappedBytes, arena);
  }

  private static MemorySegment inArena(
      long address, long sizeBytes, long mappedBytes, Arena arena) {
    try {
      return MemorySegment.ofAddress(address)
          .reinterpret(sizeBytes, arena, memory -> unmap(memory.address(), mappedBytes));
    } catch (RuntimeException e) {
      // A closed arena, or one of another thread.
      unmap(address, mappedBytes);
      throw e;
    }
  }

  private static void unmap(long address, long lengthBytes) {
    if (lengthBytes == 0) {
      return;
    }
    try {
      check("munmap", Gds.gds_munmap(address, lengthBytes));
    } catch (ErrnoException e) {
      // Splitting a mapping can exceed the kernel's count of them.
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Asks for huge pages where the range holds whole ones. Before the first access to have an effect
   * at once.
   *
   * @throws ErrnoException EINVAL where the kernel was built without them
   */
  public static void adviseHugePages(MemorySegment memory) throws ErrnoException {
    advise("madvise(MADV_HUGEPAGE)", memory, MADV_HUGEPAGE);
  }

  /**
   * Asks for ordinary pages, whatever the system's setting is.
   *
   * @throws ErrnoException EINVAL where the kernel was built without huge pages
   */
  public static void adviseNoHugePages(MemorySegment memory) throws ErrnoException {
    advise("madvise(MADV_NOHUGEPAGE)", memory, MADV_NOHUGEPAGE);
  }

  /**
   * Gives the memory of the range back to the system at once; it reads as zero from now on. Pages
   * that the kernel holds on to for a transfer are replaced here all the same, and the transfer
   * then ends in pages nobody sees.
   *
   * @throws ErrnoException EINVAL where the range is locked
   */
  public static void discard(MemorySegment memory) throws ErrnoException {
    advise("madvise(MADV_DONTNEED)", memory, MADV_DONTNEED);
  }

  /**
   * Gives every page of the range memory now, so that no access waits or is killed for want of it
   * later.
   *
   * @throws ErrnoException ENOMEM where there is not enough; EINVAL before Linux 5.14
   */
  public static void populate(MemorySegment memory) throws ErrnoException {
    advise("madvise(MADV_POPULATE_WRITE)", memory, MADV_POPULATE_WRITE);
  }

  /**
   * Populates the range and keeps it from being swapped out, until it is unlocked or unmapped.
   * After a failure some of the range can be locked.
   *
   * @throws ErrnoException ENOMEM or EPERM where {@link ResourceLimits#memlock()} forbids it
   */
  public static void lock(MemorySegment memory) throws ErrnoException {
    check("mlock", Gds.gds_mlock(memory.address(), memory.byteSize()));
  }

  /** Lets the range be swapped out again. */
  public static void unlock(MemorySegment memory) throws ErrnoException {
    check("munlock", Gds.gds_munlock(memory.address(), memory.byteSize()));
  }

  private static void advise(String call, MemorySegment memory, int advice) throws ErrnoException {
    check(call, Gds.gds_madvise(memory.address(), memory.byteSize(), advice));
  }

  /**
   * Binds a range to NUMA nodes. Pages that have memory already stay where they are unless the
   * flags say otherwise.
   *
   * @param mode number of linux/mempolicy.h, with its mode flags
   * @param flags MPOL_MF_STRICT, MPOL_MF_MOVE and so on, or 0
   * @throws ErrnoException EINVAL for a node that is absent or a mode that is unknown
   */
  public static void mbind(MemorySegment memory, int mode, BitSet nodes, int flags)
      throws ErrnoException {
    if (nodes.length() > NODES_MAX) {
      throw new IllegalArgumentException("no kernel has such a node: node=" + (nodes.length() - 1));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(NODES_MAX / Byte.SIZE, Long.BYTES);
      mask.copyFrom(MemorySegment.ofArray(nodes.toLongArray()));
      check(
          "mbind",
          Gds.gds_mbind(memory.address(), memory.byteSize(), mode, mask, NODE_MASK_BITS, flags));
    }
  }

  /**
   * The policy of the page at an address.
   *
   * @throws ErrnoException EFAULT where nothing is mapped there; ENOSYS in a kernel without NUMA
   */
  public static MemoryPolicy getMempolicy(long address) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mode = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment mask = arena.allocate(NODES_MAX / Byte.SIZE, Long.BYTES);
      check(
          "get_mempolicy", Gds.gds_get_mempolicy(mode, mask, NODE_MASK_BITS, address, MPOL_F_ADDR));
      return new MemoryPolicy(
          mode.get(ValueLayout.JAVA_INT, 0), BitSet.valueOf(mask.toArray(ValueLayout.JAVA_LONG)));
    }
  }

  /**
   * On which NUMA node each of some pages lies; moves nothing.
   *
   * @return for each address its node, or {@code -errno}: -ENOENT for a page that has no memory
   *     yet, -EFAULT where nothing is mapped
   */
  public static int[] movePagesQuery(long[] addresses) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pages = arena.allocateFrom(ValueLayout.JAVA_LONG, addresses);
      MemorySegment status = arena.allocate(ValueLayout.JAVA_INT, addresses.length);
      check(
          "move_pages",
          Gds.gds_move_pages(0, addresses.length, pages, MemorySegment.NULL, status, 0));
      return status.toArray(ValueLayout.JAVA_INT);
    }
  }
}
