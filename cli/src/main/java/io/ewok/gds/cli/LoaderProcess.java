package io.ewok.gds.cli;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A second JVM that loads a store with synced writes ({@link DemoLoaderCommand}) until it is
 * killed. It gets the records on its standard input, and prints the number of each record the store
 * acknowledged.
 *
 * <p>It cannot outlive this process: it ends itself when its standard input does. Closing kills it.
 *
 * <p>Threads: one feeds, one reads acknowledgements and kills.
 */
final class LoaderProcess implements AutoCloseable {
  /** Ends the records; no key is that long. */
  static final int END = -1;

  private static final long EXIT_SECONDS = 10;
  private static final int SIGKILL_STATUS = 128 + 9;

  private final Process process;
  private final Path errors;
  private final BufferedReader acknowledgements;
  private volatile boolean killed;

  private LoaderProcess(Process process, Path errors) {
    this.process = process;
    this.errors = errors;
    this.acknowledgements =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** Starts the process on a store of its own. */
  static LoaderProcess start(Path store, Path errors, List<String> options) throws IOException {
    List<String> command = new ArrayList<>(jvm());
    command.add(DemoLoaderCommand.NAME);
    command.addAll(options);
    command.add(store.toString());
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    // The sizes of the demonstration are those of its options alone.
    builder.environment().remove(EngineArguments.CONFIG_VARIABLE);
    Process process = builder.start();
    return new LoaderProcess(process, errors);
  }

  /** Sends the records of a data set in an order; returns early when the process was killed. */
  void feed(DataSet data, int[] order) throws IOException {
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(process.getOutputStream()))) {
      for (int index : order) {
        out.writeInt(data.key(index).length);
        out.writeInt(data.value(index).length);
        out.write(data.key(index));
        out.write(data.value(index));
      }
      out.writeInt(END);
      out.flush();
      // Left open until the process is dead, as its end means that this process has died.
      process.waitFor();
    } catch (IOException e) {
      if (!killed && process.isAlive()) {
        throw e;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * The next acknowledged record, counted from 0 in the order fed, or -1 when there will be no
   * more.
   */
  int nextAcknowledged() throws IOException {
    String line = acknowledgements.readLine();
    return line == null ? -1 : Integer.parseInt(line);
  }

  /** Sends SIGKILL; what was acknowledged before can still be read. */
  void kill() {
    killed = true;
    // Process.destroyForcibly would close the pipe too, with acknowledgements still in it.
    process.toHandle().destroyForcibly();
  }

  /**
   * Waits for the end that {@link #kill} made.
   *
   * @throws CommandFailure if it ended in another way, with what it said
   */
  void requireKilled() throws IOException {
    int status = waitFor();
    if (!killed || status != SIGKILL_STATUS) {
      throw CommandFailure.failed(
          "the loading process ended by itself: status=%d message=%s"
              .formatted(status, Files.readString(errors).strip()));
    }
  }

  @Override
  public void close() throws IOException {
    kill();
    waitFor();
    acknowledgements.close();
  }

  private int waitFor() {
    try {
      if (!process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        throw CommandFailure.failed("the loading process does not end: pid=" + process.pid());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandFailure.failed("interrupted while waiting for the loading process", e);
    }
  }

  /** The command that starts this program once more: the same Java, modules and rights. */
  private static List<String> jvm() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+UseSerialGC"); // It shares the CPUs with us and has little garbage.
    for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (argument.startsWith("--enable-native-access")
          || argument.startsWith("--add-modules")
          || argument.startsWith("--sun-misc-unsafe-memory-access")
          || argument.startsWith("-Dgds.")
          || argument.startsWith("-Djava.io.tmpdir=")) {
        command.add(argument);
      }
    }
    String modulePath = System.getProperty("jdk.module.path");
    Module module = Main.class.getModule();
    if (module.isNamed() && modulePath != null) {
      command.addAll(List.of("--module-path", modulePath));
      command.addAll(List.of("--module", module.getName() + "/" + Main.class.getName()));
    } else {
      command.addAll(List.of("--class-path", System.getProperty("java.class.path")));
      command.add(Main.class.getName());
    }
    return command;
  }
}
