package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Files that somebody changed on purpose are refused or read, whatever is in them: by random
 * inputs, with {@code -Dgds.test.soak=MINUTES} for so long; and by the fuzzer Jazzer, where {@code
 * -Dgds.test.jazzer=CLASSPATH} has its libraries, for as long, and a minute otherwise.
 */
class DecoderFuzzTest {
  private static final int INPUTS = 1_500;
  private static final int PATCHES_MAX = 4;
  private static final int MINUTES = Integer.getInteger("gds.test.soak", 0);

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(DecoderFuzz.Kind.class)
  void changedFilesAreRefusedOrRead(DecoderFuzz.Kind kind) throws Exception {
    long seed = Fixtures.seed(1);
    SplittableRandom random = new SplittableRandom(seed);
    DecoderFuzz fuzz = new DecoderFuzz();
    byte number = (byte) List.of(DecoderFuzz.Kind.values()).indexOf(kind);
    assertFalse(fuzz.isRefused(new byte[] {number}), "nothing is changed");
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
    int refused = 0;
    int read = 0;
    for (int i = 0; i < INPUTS || end - System.nanoTime() > 0; i++) {
      byte[] input = Fixtures.randomBytes(random, 1 + 5 * (1 + random.nextInt(PATCHES_MAX)));
      input[0] = number;
      try {
        if (fuzz.isRefused(input)) {
          refused++;
        } else {
          read++;
        }
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "input=" + HexFormat.of().formatHex(input) + " " + Fixtures.replay(getClass(), seed),
            e);
      }
    }
    assertTrue(refused > INPUTS / 5 && read > 20, "refused=" + refused + " read=" + read);
  }

  @Test
  @EnabledIfSystemProperty(named = "gds.test.jazzer", matches = ".+")
  void fuzzerFindsNothing() throws Exception {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-ea",
                    "-Xmx512m",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("gds.test.jazzer")
                        + File.pathSeparator
                        + System.getProperty("java.class.path"),
                    "com.code_intelligence.jazzer.Jazzer",
                    "--target_class=" + DecoderFuzz.class.getName(),
                    "--instrumentation_includes=io.ewok.gds.lsm.**",
                    "-max_len=64",
                    "-max_total_time=" + TimeUnit.MINUTES.toSeconds(Math.max(1, MINUTES))))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertEquals(0, process.waitFor(), () -> read(output));
    } finally {
      process.destroy();
    }
  }

  private static String read(Path output) {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
