package io.ewok.gds.allocator;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Advice about transparent huge pages, and what became of it. */
final class TransparentHugePages {
  private static final String SETTINGS = "sys/kernel/mm/transparent_hugepage/";

  private TransparentHugePages() {}

  /**
   * Advises the kernel.
   *
   * @param refusal why explicit huge pages were not to be had; empty if they were not asked for
   */
  static PageBacking advise(
      MemorySegment memory, HugePages requested, String refusal, MappingCalls calls)
      throws ErrnoException {
    if (requested == HugePages.OFF) {
      try {
        calls.adviseNoHugePages(memory);
      } catch (ErrnoException e) {
        // A kernel that was built without them needs no telling.
        if (e.errno() != Errno.EINVAL) {
          throw e;
        }
      }
      return new PageBacking(requested, HugePages.OFF, "");
    }
    String why = whyNot(memory, calls);
    HugePages effective = why.isEmpty() ? HugePages.AUTO : HugePages.OFF;
    String separator = refusal.isEmpty() || why.isEmpty() ? "" : "; ";
    return new PageBacking(requested, effective, refusal + separator + why);
  }

  private static String whyNot(MemorySegment memory, MappingCalls calls) {
    if (memory.byteSize() < Region.UNIT_BYTES) {
      return "smaller than a huge page: sizeBytes=" + memory.byteSize();
    }
    try {
      calls.adviseHugePages(memory);
    } catch (ErrnoException e) {
      return e.getMessage();
    }
    return switchedOff(Path.of("/"));
  }

  /**
   * Returns why the kernel takes the advice and does not follow it, or nothing.
   *
   * @param root stands for the root of the file system
   */
  static String switchedOff(Path root) {
    try {
      if (ProcessStatus.read(root).text("THP_enabled").orElse("1").equals("0")) {
        return "transparent huge pages are switched off for this process: THP_enabled=0";
      }
      // Since Linux 6.8 each size has a setting, which can defer to that for all.
      String ofSize = setting(root, "hugepages-2048kB/enabled");
      if (ofSize.equals("never")) {
        return "switched off by the system: " + SETTINGS + "hugepages-2048kB/enabled=never";
      }
      boolean deferring = ofSize.isEmpty() || ofSize.equals("inherit");
      if (deferring && setting(root, "enabled").equals("never")) {
        return "switched off by the system: " + SETTINGS + "enabled=never";
      }
      return "";
    } catch (IOException e) {
      // It took the advice, and hides the rest.
      return "";
    }
  }

  /** The chosen one of the words in a file such as {@code always [madvise] never}. */
  private static String setting(Path root, String name) throws IOException {
    Path file = root.resolve(SETTINGS + name);
    if (!Files.exists(file)) {
      return "";
    }
    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    int open = text.indexOf('[');
    int close = text.indexOf(']');
    return open < 0 || close < open ? "" : text.substring(open + 1, close);
  }
}
