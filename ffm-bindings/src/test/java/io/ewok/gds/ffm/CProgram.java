package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A small C program, compiled with the compiler that built the library. */
final class CProgram {

  private CProgram() {}

  /** Compiles a resource of this package with REFUSAL defined as an errno's name. */
  static Path compile(String resource, Path program, String refusal) throws Exception {
    try (InputStream in = CProgram.class.getResourceAsStream(resource)) {
      String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return compile("#define REFUSAL " + refusal + "\n" + source, program);
    }
  }

  static Path compile(String source, Path program) throws Exception {
    Path file = Files.writeString(Path.of(program + ".c"), source);
    run(
        "gcc",
        "-D_GNU_SOURCE",
        "-I",
        Path.of("../native/src/main/c").toString(),
        "-o",
        program.toString(),
        file.toString());
    return program.toAbsolutePath();
  }

  /** Runs a command to its successful end; returns what it printed. */
  static List<String> run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.lines().toList();
  }
}
