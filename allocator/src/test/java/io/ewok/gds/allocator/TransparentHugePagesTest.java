package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TransparentHugePagesTest {
  @TempDir Path root;

  @BeforeEach
  void usualSystem() throws IOException {
    write("proc/self/status", "Name:\tjava\nTHP_enabled:\t1\n");
    write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private void ofSize(String text) throws IOException {
    write("sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled", text);
  }

  @Test
  void advisedMemoryIsHugeInTheUsualSystem() throws IOException {
    assertEquals("", TransparentHugePages.switchedOff(root));
    ofSize("always [inherit] madvise never\n");
    assertEquals("", TransparentHugePages.switchedOff(root));
  }

  @Test
  void systemThatHasSwitchedThemOffIsNamed() throws IOException {
    write("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
    assertTrue(TransparentHugePages.switchedOff(root).endsWith("hugepage/enabled=never"));
    ofSize("always [inherit] madvise never\n");
    assertTrue(TransparentHugePages.switchedOff(root).endsWith("hugepage/enabled=never"));
    ofSize("always inherit [madvise] never\n");
    assertEquals("", TransparentHugePages.switchedOff(root));
  }

  @Test
  void sizeThatIsSwitchedOffIsNamed() throws IOException {
    ofSize("always inherit madvise [never]\n");
    assertTrue(TransparentHugePages.switchedOff(root).endsWith("hugepages-2048kB/enabled=never"));
  }

  @Test
  void processForWhichTheyAreSwitchedOffIsNamed() throws IOException {
    write("proc/self/status", "THP_enabled:\t0\n");
    assertTrue(TransparentHugePages.switchedOff(root).endsWith("THP_enabled=0"));
  }

  @Test
  void systemThatDoesNotTellIsBelieved() throws IOException {
    write("proc/self/status", "Name:\tjava\n");
    Files.delete(root.resolve("sys/kernel/mm/transparent_hugepage/enabled"));
    assertEquals("", TransparentHugePages.switchedOff(root));
    Files.delete(root.resolve("proc/self/status"));
    assertEquals("", TransparentHugePages.switchedOff(root));
  }
}
