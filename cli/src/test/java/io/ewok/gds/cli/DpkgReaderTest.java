package io.ewok.gds.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DpkgReaderTest {
  @TempDir private Path dpkg;

  private String valueOf(DataSet data, String path) {
    int index = data.find(path.getBytes(StandardCharsets.UTF_8));
    return new String(data.value(index), StandardCharsets.UTF_8);
  }

  @Test
  void pathsCarryAllTheirOwnersWithVersions() throws IOException {
    Files.createDirectory(dpkg.resolve("info"));
    Files.writeString(dpkg.resolve("info/zsh.list"), "/.\n/bin/zsh\n");
    Files.writeString(dpkg.resolve("info/libc6:amd64.list"), "/.\n/lib/libc.so\n");
    Files.writeString(dpkg.resolve("info/gone.list"), "/.\n");
    Files.writeString(dpkg.resolve("info/zsh.md5sums"), "ignored");
    Files.writeString(
        dpkg.resolve("status"),
        """
        Package: libc6
        Status: install ok installed
        Architecture: amd64
        Version: 2.36-9
        Description: the library
         Version: not this one

        Package: zsh
        Architecture: amd64
        Version: 5.9
        """);
    DataSet data = DataSet.read(new DpkgReader(dpkg));
    assertEquals(3, data.count());
    assertEquals("zsh 5.9", valueOf(data, "/bin/zsh"));
    assertEquals("libc6:amd64 2.36-9", valueOf(data, "/lib/libc.so"));
    assertEquals("gone unknown; libc6:amd64 2.36-9; zsh 5.9", valueOf(data, "/."));
  }

  @Test
  void systemWithoutDpkgIsToldToBringAFile() {
    CommandFailure failure = assertThrows(CommandFailure.class, () -> new DpkgReader(dpkg));
    assertTrue(failure.getMessage().contains("--input"), failure.getMessage());
  }
}
