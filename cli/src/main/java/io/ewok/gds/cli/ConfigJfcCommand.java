package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code gds config jfc}: prints the settings of the flight recorder that the store comes with. */
@Command(
    name = "jfc",
    description =
        "Print settings for the JDK's flight recorder that have it record the events of GDS: flushes, "
            + "compactions, stalls, slow and limited I/O, and how memory is mapped.",
    footer = {
      "%nExamples:",
      "  gds config jfc > gds.jfc",
      "  java -XX:StartFlightRecording:settings=default,settings=gds.jfc,filename=gds.jfr ..."
    })
final class ConfigJfcCommand implements Callable<Integer> {
  private static final String RESOURCE = "/META-INF/gds.jfc";

  private final Streams streams;

  ConfigJfcCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    try (InputStream in = Store.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new NoSuchFileException(RESOURCE);
      }
      streams.out(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
    return ExitStatus.OK;
  }
}
