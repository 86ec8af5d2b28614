package io.ewok.gds.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.bench.curves.Curves;
import io.ewok.gds.pagestore.SyncMethod;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The rival of {@link IoReport}: fio with io_uring, doing what ours do and nothing else. */
final class Fio {
  private static final JsonFactory JSON = new JsonFactory();
  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final double NANOS_PER_MICRO = 1e3;

  /** How often to look whether it has begun. */
  private static final long LOOK_NANOS = 2 * NANOS_PER_MILLI;

  /** The part of its time in which its processor time is watched: it is to go on until the end. */
  private static final double CPU_WATCHED = 0.8;

  /** A busy machine may look when it has ended. */
  private static final int TRIES = 3;

  /** From here on it is sure that it does what it was asked for. */
  private static final int BLOCKS_BEGUN = 64;

  private static final String GTOD_REDUCE = "--gtod_reduce=1";

  private final Path program;

  private Fio(Path program) {
    this.program = program;
  }

  /** Returns the fio that is installed. */
  static Optional<Fio> find() {
    return find(Optional.ofNullable(System.getenv("PATH")).orElse(""));
  }

  static Optional<Fio> find(String searchPath) {
    for (String directory : searchPath.split(File.pathSeparator, -1)) {
      Path program = Path.of(directory, "fio");
      if (!directory.isEmpty() && Files.isRegularFile(program) && Files.isExecutable(program)) {
        return Optional.of(new Fio(program));
      }
    }
    return Optional.empty();
  }

  /**
   * Returns the command of a run. Direct I/O, registered memory and registered files as ours; the
   * memory begins where a huge page can, which the environment asks the C library for; no time
   * stamp for each operation, as ours take none; and no map of the blocks that were read, nor the
   * same order each time.
   */
  List<String> command(IoCase one, BenchFile file, long watchedNanos) {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.add("--name=gds-bench");
    command.add("--filename=" + file.path().toString().replace(":", "\\:"));
    command.add("--allow_file_create=0");
    command.add("--size=" + file.sizeBytes());
    // At the end of the file it goes on at its start, without opening it anew.
    command.add("--io_size=1t");
    command.add("--rw=" + one.pattern().fioName);
    command.add("--bs=" + one.blockBytes());
    command.add("--ioengine=io_uring");
    command.add("--iodepth=" + one.depth());
    command.add("--direct=1");
    command.add("--iomem_align=" + Region.UNIT_BYTES);
    command.add("--fixedbufs=1");
    command.add("--registerfiles=1");
    command.add("--norandommap=1");
    command.add("--randrepeat=0");
    command.add(GTOD_REDUCE);
    command.add("--time_based=1");
    command.add("--ramp_time=" + IoLoad.RAMP_NANOS / NANOS_PER_MILLI + "ms");
    command.add("--runtime=" + watchedNanos / NANOS_PER_MILLI + "ms");
    command.add("--output-format=json");
    if (one.sync() == SyncMethod.DSYNC) {
      command.add("--sync=dsync");
    } else if (one.sync() == SyncMethod.FDATASYNC) {
      command.add("--fdatasync=1");
    }
    return command;
  }

  /**
   * Returns the command of a run with time stamps, from when an operation is handed over to its
   * end. What follows each of them for {@code fdatasync} is not in it, so that this is not asked.
   */
  private List<String> timedCommand(IoCase one, BenchFile file, long watchedNanos) {
    List<String> command = command(one, file, watchedNanos);
    command.remove(GTOD_REDUCE);
    command.add("--clat_percentiles=0");
    command.add("--lat_percentiles=1");
    command.add(
        "--percentile_list="
            + Curves.PERCENTILES.stream().map(Object::toString).collect(Collectors.joining(":")));
    return command;
  }

  private static Process start(List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    builder.environment().put("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
    return builder.start();
  }

  /** Runs fio to be told how long operations take; nothing, of what it does not say it of. */
  Curves time(IoCase one, BenchFile file, long watchedNanos)
      throws IOException, InterruptedException {
    if (one.sync() == SyncMethod.FDATASYNC) {
      return Curves.none();
    }
    Process process = start(timedCommand(one, file, watchedNanos));
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException("fio failed, " + output.strip() + ": status=" + status);
    }
    return new Curves(latencyMicros(output), 0, List.of());
  }

  /** Reads the percentiles in what fio prints; those that it cannot tell are not numbers. */
  static List<Double> latencyMicros(String output) throws IOException {
    Map<String, Double> numbers = numbers(output.substring(Math.max(0, output.indexOf('{'))));
    List<Double> micros = new ArrayList<>();
    for (double percentile : Curves.PERCENTILES) {
      String name = String.format(Locale.ROOT, "/lat_ns/percentile/%.6f", percentile);
      double nanos = Double.NaN;
      for (String job : List.of("/jobs/0/read", "/jobs/0/write")) {
        // Beyond the slowest of all it repeats the time of that.
        long count = Math.round(numbers.getOrDefault(job + "/lat_ns/N", 0.0));
        boolean isTold = Curves.canTell(count, percentile);
        nanos = isTold ? numbers.getOrDefault(job + name, nanos) : nanos;
      }
      micros.add(nanos / NANOS_PER_MICRO);
    }
    return micros;
  }

  /** Runs fio. What it says of errors goes to our error stream. */
  IoSample run(IoCase one, BenchFile file, long watchedNanos)
      throws IOException, InterruptedException {
    IOException unseen = null;
    for (int i = 0; i < TRIES; i++) {
      Process process = start(command(one, file, watchedNanos));
      double cpuMicros = Double.NaN;
      try {
        cpuMicros = cpuMicros(process, one, watchedNanos);
      } catch (IOException e) {
        unseen = e;
      }
      // It fits into the pipe, so it need not be read meanwhile.
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException("fio failed, " + output.strip() + ": status=" + status);
      }
      if (!Double.isNaN(cpuMicros)) {
        return new IoSample(perSecond(output), cpuMicros);
      }
    }
    throw new IOException("fio cannot be watched at work: tries=" + TRIES, unseen);
  }

  /**
   * Returns what an operation takes of the processor's time. Looked at from outside, just as ours:
   * its own account leaves out what the kernel's threads do for it. It works in a process of its
   * own.
   */
  private static double cpuMicros(Process process, IoCase one, long watchedNanos)
      throws IOException, InterruptedException {
    long worker = worker(process);
    while (transferredBytes(worker) < (long) BLOCKS_BEGUN * one.blockBytes()) {
      IoLoad.pause(LOOK_NANOS);
    }
    IoLoad.pause(IoLoad.RAMP_NANOS);
    ProcessCpu cpu = ProcessCpu.now(worker);
    long before = transferredBytes(worker);
    IoLoad.pause((long) (CPU_WATCHED * watchedNanos));
    long nanos = cpu.nanosUntilNow();
    double operations = (double) (transferredBytes(worker) - before) / one.blockBytes();
    return nanos / NANOS_PER_MICRO / operations;
  }

  /** Returns the process that does the work, once there is one. */
  private static long worker(Process process) throws IOException {
    Optional<ProcessHandle> worker = process.children().findAny();
    while (worker.isEmpty() && process.isAlive()) {
      IoLoad.pause(LOOK_NANOS);
      worker = process.children().findAny();
    }
    return worker.orElseThrow(() -> new IOException("fio has ended early")).pid();
  }

  /** Returns the bytes that a process has read from disks and written to them. */
  private static long transferredBytes(long processId) throws IOException {
    long bytes = 0;
    for (String line : Files.readAllLines(Path.of("/proc/" + processId + "/io"))) {
      if (line.startsWith("read_bytes: ") || line.startsWith("write_bytes: ")) {
        bytes += Long.parseLong(line.substring(line.indexOf(' ') + 1));
      }
    }
    return bytes;
  }

  /**
   * Reads the rate in what fio prints: perhaps a few warnings, then one JSON object.
   *
   * @throws IOException if it is anything else, or tells of an error
   */
  static double perSecond(String output) throws IOException {
    Map<String, Double> numbers = numbers(output.substring(Math.max(0, output.indexOf('{'))));
    double rate = number(numbers, "/jobs/0/read/iops") + number(numbers, "/jobs/0/write/iops");
    if (number(numbers, "/jobs/0/error") != 0 || rate == 0) {
      throw new IOException(
          "fio tells of an error: errno=%.0f perSecond=%.0f"
              .formatted(number(numbers, "/jobs/0/error"), rate));
    }
    return rate;
  }

  private static double number(Map<String, Double> numbers, String pointer) throws IOException {
    Double number = numbers.get(pointer);
    if (number == null) {
      throw new IOException("fio's output lacks a number: pointer=" + pointer);
    }
    return number;
  }

  /** Returns all numbers by where they are, as a JSON pointer. */
  private static Map<String, Double> numbers(String json) throws IOException {
    Map<String, Double> numbers = new HashMap<>();
    try (JsonParser parser = JSON.createParser(json)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token.isNumeric()) {
          numbers.put(
              parser.getParsingContext().pathAsPointer().toString(), parser.getDoubleValue());
        }
      }
    }
    return numbers;
  }
}
