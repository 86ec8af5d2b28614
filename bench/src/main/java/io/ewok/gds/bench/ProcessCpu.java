package io.ewok.gds.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The processor time of all threads of this process, the JVM's and the kernel's for us included, as
 * of some moment. The JDK's own number has ticks of ten milliseconds.
 *
 * <p>What a thread took that has ended is not known; those of a run outlive the time that is
 * watched.
 */
final class ProcessCpu {
  private static final Path THREADS = Path.of("/proc/self/task");

  /** By the number of the thread. */
  private final Map<String, Long> nanos;

  private ProcessCpu(Map<String, Long> nanos) {
    this.nanos = nanos;
  }

  static ProcessCpu now() throws IOException {
    Map<String, Long> nanos = new HashMap<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
      for (Path thread : threads) {
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
    return new ProcessCpu(nanos);
  }

  /** Returns the nanoseconds from then on. */
  long nanosUntilNow() throws IOException {
    long sum = 0;
    for (Map.Entry<String, Long> thread : now().nanos.entrySet()) {
      sum += thread.getValue() - nanos.getOrDefault(thread.getKey(), 0L);
    }
    return sum;
  }
}
