package io.ewok.gds.allocator;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** What of some memory the system has given. */
final class Resident {
  private Resident() {}

  /** How many pages of 4 KiB are there. */
  static long pages(MemorySegment memory) {
    long[] addresses = new long[Math.toIntExact(memory.byteSize() / 4096)];
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = memory.address() + i * 4096L;
    }
    long pages = 0;
    try {
      for (int node : LinuxMemory.movePagesQuery(addresses)) {
        // What is only read is the page of zeros that all share: EFAULT.
        if (node != -Errno.ENOENT && node != -Errno.EFAULT) {
          pages++;
        }
      }
    } catch (ErrnoException e) {
      throw new UncheckedIOException(e);
    }
    return pages;
  }

  /** How much memory the whole process has. */
  static long processBytes() throws IOException {
    String[] statm = Files.readString(Path.of("/proc/self/statm")).split(" ", -1);
    return Long.parseLong(statm[1]) * LinuxMemory.pageSizeBytes();
  }
}
