package io.ewok.gds.ffm.unchecked;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.OpenFlags;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PiecesTest {
  @TempDir Path directory;

  @Test
  void piecesOfMemoryFollowEachOtherInTheFile() throws Exception {
    int fd =
        LinuxFiles.open(directory.resolve("pieces"), OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom("....world-hello, ");
      MemorySegment pieces = arena.allocate(2 * Pieces.ENTRY_BYTES, Long.BYTES);
      pieces.setAtIndex(ValueLayout.JAVA_LONG, 0, memory.address() + 10);
      pieces.setAtIndex(ValueLayout.JAVA_LONG, 1, 7);
      pieces.setAtIndex(ValueLayout.JAVA_LONG, 2, memory.address() + 4);
      pieces.setAtIndex(ValueLayout.JAVA_LONG, 3, 5);
      assertEquals(12, Pieces.write(fd, pieces, 3, LinuxFiles.RWF_DSYNC));
      MemorySegment written = arena.allocate(16);
      assertEquals(15, LinuxFiles.pread(fd, written, 0, 16, 0));
      assertEquals("hello, world", written.getString(3));
      memory.fill((byte) 0);
      assertEquals(12, Pieces.read(fd, pieces, 3));
      assertEquals("hello, ", memory.getString(10));
      assertEquals("world", memory.getString(4));
    } finally {
      LinuxFiles.close(fd);
    }
  }
}
