package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A block device over a file, where this process may make one. */
final class LoopDevice {
  private LoopDevice() {}

  static Path attach(Path image, int blockBytes) throws IOException, InterruptedException {
    ProcessBuilder command =
        new ProcessBuilder(
            "losetup", "-f", "--show", "-b", Integer.toString(blockBytes), image.toString());
    Process losetup = null;
    try {
      losetup = command.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      abort("there is no losetup: " + e.getMessage());
    }
    String name = new String(losetup.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assumeTrue(losetup.waitFor() == 0, "loop devices need root, and a kernel that has them");
    return Path.of(name.strip());
  }

  static void detach(Path device) throws IOException, InterruptedException {
    assertEquals(0, new ProcessBuilder("losetup", "-d", device.toString()).start().waitFor());
  }
}
