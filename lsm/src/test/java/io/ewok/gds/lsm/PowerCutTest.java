package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Cuts the power of virtual machines while {@link LaneWriter} writes on their disk, where {@code
 * -Dgds.test.powercut=COMMAND} names a program that does that. It is called as
 *
 * <pre>COMMAND --cuts N --disk virtio|scsi --fs ext4|xfs --writer 'PROGRAM' --checker 'PROGRAM'
 * </pre>
 *
 * and for each cut runs the writer in a machine that sees this one's files, cuts its power, and
 * runs the checker on the same disk with the last number that the writer printed as one more
 * argument; it ends with an error if a checker does. The disk is at {@code
 * -Dgds.test.vm.folder=FOLDER}, {@code /scratch} if not said otherwise. Each of the machines is cut
 * {@code -Dgds.test.powercut.cuts=N} times, 10 if not said otherwise.
 */
@EnabledIfSystemProperty(named = PowerCutTest.RUNNER, matches = ".+")
class PowerCutTest {
  static final String RUNNER = "gds.test.powercut";

  private static final Path DIRECTORY =
      Path.of(System.getProperty("gds.test.vm.folder", "/scratch"), "store");
  private static final int CUTS = Integer.getInteger(RUNNER + ".cuts", 10);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"virtio, ext4", "virtio, xfs", "scsi, ext4", "scsi, xfs"})
  void nothingAcknowledgedIsLostWhenThePowerIsCut(String disk, String fileSystem) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(System.getProperty(RUNNER).strip().split(" +", -1)));
    command.addAll(List.of("--cuts", Integer.toString(CUTS), "--disk", disk, "--fs", fileSystem));
    command.addAll(List.of("--writer", program(LaneWriter.class, DIRECTORY)));
    command.addAll(List.of("--checker", program(LaneChecker.class, DIRECTORY)));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int status;
    try {
      status = process.waitFor();
    } finally {
      process.destroy();
    }
    assertEquals(0, status, () -> command + "\n" + read(output));
  }

  private static String read(Path output) {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }

  static String program(Class<?> program, Path directory) {
    return String.join(
        " ",
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx64m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        System.getProperty("java.class.path"),
        program.getName(),
        directory.toString());
  }
}
