package io.ewok.gds.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The processor time of all threads of a process, the JVM's and the kernel's for it included, as of
 * some moment. The JDK's own number has ticks of ten milliseconds.
 *
 * <p>What a thread took that has ended is not known; those of a run outlive the time that is
 * watched.
 */
final class ProcessCpu {
  private final Path threads;

  /** By the number of the thread. */
  private final Map<String, Long> nanos;

  private ProcessCpu(Path threads) throws IOException {
    this.threads = threads;
    this.nanos = read(threads);
  }

  /** Of this process. */
  static ProcessCpu now() throws IOException {
    return new ProcessCpu(Path.of("/proc/self/task"));
  }

  /** Of a process that goes on. */
  static ProcessCpu now(long processId) throws IOException {
    return new ProcessCpu(Path.of("/proc/" + processId + "/task"));
  }

  private static Map<String, Long> read(Path threads) throws IOException {
    Map<String, Long> nanos = new HashMap<>();
    try (DirectoryStream<Path> each = Files.newDirectoryStream(threads)) {
      for (Path thread : each) {
        try {
          String numbers = Files.readString(thread.resolve("schedstat"));
          nanos.put(
              thread.getFileName().toString(),
              Long.parseLong(numbers.substring(0, numbers.indexOf(' '))));
        } catch (IOException e) {
          if (Files.exists(thread)) {
            throw e;
          }
          // It has ended since it was listed.
        }
      }
    }
    return nanos;
  }

  /** Returns the nanoseconds from then on. */
  long nanosUntilNow() throws IOException {
    long sum = 0;
    for (Map.Entry<String, Long> thread : read(threads).entrySet()) {
      sum += thread.getValue() - nanos.getOrDefault(thread.getKey(), 0L);
    }
    return sum;
  }
}
