package io.ewok.gds.bench.kv;

import io.ewok.gds.bench.scratch.ScratchDirectories;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One contender's cases of one group, in a JVM of its own: what one store has left in the heap, the
 * page cache and the compiled code is not the next one's.
 */
public final class KvTurn {
  private static final List<String> JVM_ARGS =
      List.of(
          "-Xms1g",
          "-Xmx1g",
          "-XX:+UseG1GC",
          "--enable-native-access=ALL-UNNAMED",
          "--add-opens=java.base/java.lang=ALL-UNNAMED",
          // What lmdbjava makes its buffers with.
          "--add-opens=java.base/java.nio=ALL-UNNAMED",
          "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-Dlmdbjava.disable.checks=true");

  private static final int WARM_UP_ENTRIES_MAX = 300_000;
  private static final int WARM_UP_LONG_ENTRIES_MAX = 10_000;

  private KvTurn() {}

  /**
   * Runs in a new JVM.
   *
   * @param cases of one group, in any order; those that others rely on are run even if they are not
   *     among them
   * @param entries records to load; three times as many where memory must not have room for them
   * @param parent where a directory for the store is made, and deleted again
   * @return the samples, in the order of the cases
   * @throws IOException if the JVM failed; it has said why on the error stream
   */
  public static List<KvSample> run(
      KvContender contender, List<KvCase> cases, int entries, long watchedNanos, Path parent)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM_ARGS);
    int valueBytes = cases.getFirst().group().valueBytes();
    if (valueBytes > 0) {
      command.add("-D" + KvData.VALUE_BYTES_PROPERTY + "=" + valueBytes);
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(KvTurn.class.getName());
    command.add(contender.name());
    command.add(cases.stream().map(KvCase::name).collect(Collectors.joining(",")));
    command.add(Integer.toString(entries));
    command.add(Long.toString(watchedNanos));
    command.add(parent.toString());
    Process process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException("a turn failed: contender=%s status=%d".formatted(contender, status));
    }
    return output.lines().filter(KvSample::isSample).map(KvSample::parse).toList();
  }

  /** The other JVM's entry point; see {@link #run}. */
  public static void main(String[] args) throws IOException, InterruptedException {
    KvContender contender = KvContender.valueOf(args[0]);
    List<KvCase> cases = Arrays.stream(args[1].split(",", -1)).map(KvCase::valueOf).toList();
    int entries = Integer.parseInt(args[2]);
    long watchedNanos = Long.parseLong(args[3]);
    Path directory = ScratchDirectories.create(Path.of(args[4]), "gds-bench-kv-");
    try {
      KvGroup group = cases.getFirst().group();
      KvSettings settings = KvSettings.of(group, entries, watchedNanos);
      // A load cannot be repeated on its store, and synced writes are too few to be compiled soon:
      // the code is warmed up on another store.
      List<KvCase> needed = KvCase.of(group).stream().filter(KvCase::isNeeded).toList();
      List<KvCase> warmUp = needed.isEmpty() ? List.of(KvCase.FILL_RANDOM) : needed;
      int entriesMax = group.valueBytes() > 0 ? WARM_UP_LONG_ENTRIES_MAX : WARM_UP_ENTRIES_MAX;
      for (int i = 0; i < group.warmUps(); i++) {
        runAll(contender, settings.forWarmUp(entriesMax), warmUp, directory, List.of());
      }
      runAll(contender, settings, KvCase.of(group), directory, cases);
    } finally {
      Files.delete(directory);
    }
  }

  private static void runAll(
      KvContender contender,
      KvSettings settings,
      List<KvCase> ofGroup,
      Path parent,
      List<KvCase> wanted)
      throws IOException, InterruptedException {
    Path directory = ScratchDirectories.create(parent, "store-");
    KvData data = new KvData(settings.entries());
    try (KvStore store = contender.open(directory, settings, data)) {
      KvRun run = new KvRun(contender, settings, data, store, directory);
      for (KvCase one : ofGroup) {
        if (one.isNeeded() || wanted.contains(one)) {
          KvSample sample = run.run(one);
          if (wanted.contains(one)) {
            System.out.println(sample.toLine());
          }
          if (one.isReadAfterwards() && !wanted.isEmpty()) {
            run.readAll();
          }
        }
      }
    } finally {
      ScratchDirectories.delete(directory);
    }
  }
}
