package io.ewok.gds.bench.scratch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScratchDirectoriesTest {
  @TempDir private Path temp;

  /** A process that has made one and does not end by itself. */
  static final class Waiting {
    private Waiting() {}

    public static void main(String[] args) throws Exception {
      Path made = ScratchDirectories.create(Path.of(args[0]), "made-");
      Files.createDirectory(made.resolve("directory"));
      Files.writeString(made.resolve("directory/file"), "text");
      System.out.println("made");
      new CountDownLatch(1).await();
    }
  }

  @Test
  void nothingIsLeftOfAProcessThatIsInterrupted() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Waiting.class.getName(),
                temp.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = process.inputReader()) {
      assertEquals("made", out.readLine());
      assertEquals(1, entries());
    } finally {
      process.destroy();
    }
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, entries());
  }

  private long entries() throws Exception {
    try (Stream<Path> entries = Files.list(temp)) {
      return entries.count();
    }
  }

  @Test
  void aDirectoryIsDeletedWithAllThatIsInIt() throws Exception {
    Path made = ScratchDirectories.create(temp, "made-");
    Files.writeString(Files.createDirectories(made.resolve("a/b")).resolve("c"), "text");
    ScratchDirectories.delete(made);
    assertFalse(Files.exists(made));
  }
}
