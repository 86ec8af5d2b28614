package io.ewok.gds.allocator;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.lang.foreign.MemorySegment;

/** Advice about transparent huge pages, and what became of it. */
final class TransparentHugePages {
  private TransparentHugePages() {}

  /**
   * Advises the kernel.
   *
   * @param refusal why explicit huge pages were not to be had; empty if they were not asked for
   */
  static PageBacking advise(MemorySegment memory, HugePages requested, String refusal)
      throws ErrnoException {
    if (requested == HugePages.OFF) {
      try {
        LinuxMemory.adviseNoHugePages(memory);
      } catch (ErrnoException e) {
        // A kernel that was built without them needs no telling.
        if (e.errno() != Errno.EINVAL) {
          throw e;
        }
      }
      return new PageBacking(requested, HugePages.OFF, "");
    }
    String prefix = refusal.isEmpty() ? "" : refusal + "; ";
    if (memory.byteSize() < Region.UNIT_BYTES) {
      return new PageBacking(requested, HugePages.OFF, prefix + "smaller than a huge page");
    }
    try {
      LinuxMemory.adviseHugePages(memory);
      return new PageBacking(requested, HugePages.AUTO, refusal);
    } catch (ErrnoException e) {
      return new PageBacking(requested, HugePages.OFF, prefix + e.getMessage());
    }
  }
}
