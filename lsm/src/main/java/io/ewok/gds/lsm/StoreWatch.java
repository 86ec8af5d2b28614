package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The counters of a store that another process has open, or this one, several times a second: what
 * {@code gds top} shows. The store is not opened and does nothing for it but to write its counters
 * to a file, which stays in memory, as long as somebody reads them.
 *
 * {@snippet :
 * try (StoreWatch watch = StoreWatch.open(directory)) {
 *   while (watch.isOpen()) {
 *     watch.read().ifPresent(now -> show(now.number("gets")));
 *     Thread.sleep(1000);
 *   }
 * }
 * }
 *
 * <p>Ownership: who opened it closes it. Threads: one at a time. It waits for nothing.
 */
public final class StoreWatch implements AutoCloseable {
  /** For how long one look has the store go on: more than that without one, and it stops. */
  public static final Duration LOOK_LIFE = Duration.ofSeconds(5);

  private static final Set<OpenOption> OPTIONS =
      Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);

  private final FileChannel file;

  /** Of the store; 0 if it is not known, or one of a container that is not ours. */
  private long process;

  /**
   * Counters at one time. Those of work only rise, from 0 when the store was opened; what a name
   * means is said by {@link StoreStats} and {@link io.ewok.gds.pagestore.IoStats}.
   *
   * @param millis when they were read, milliseconds since the epoch
   * @param process number of the process that has the store open
   * @param values by name: bytes, nanoseconds, thousandths of a score, and counts; {@code nanos} is
   *     the time of a clock that nobody sets, to tell rates by
   */
  public record Reading(long millis, long process, Map<String, String> values) {
    /** Copies the map. */
    public Reading {
      values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Returns a counter, 0 if there is none of the name. */
    public long number(String name) {
      try {
        return Long.parseLong(values.getOrDefault(name, "0"));
      } catch (NumberFormatException e) {
        return 0;
      }
    }
  }

  private StoreWatch(FileChannel file) {
    this.file = file;
  }

  /**
   * Begins to watch.
   *
   * @throws StorageException if no process has the store open, or one whose counters cannot be read
   */
  public static StoreWatch open(Path directory) throws IOException {
    Path path = new StoreFiles(directory.toAbsolutePath()).watch();
    FileChannel file;
    try {
      file = FileChannel.open(path, OPTIONS);
    } catch (NoSuchFileException e) {
      throw new StorageException("no process has a store open here", directory);
    }
    boolean isOpened = false;
    try {
      if (!WatchFormat.isWatchFile(file)) {
        throw new StorageException("these are no counters, or of another version", path);
      }
      isOpened = true;
      return new StoreWatch(file);
    } finally {
      if (!isOpened) {
        file.close();
      }
    }
  }

  /**
   * Says that somebody looks, and returns the newest counters; none until the store has answered,
   * which takes a second at first, and more if it writes tables at that time.
   *
   * @throws IOException if the file cannot be read, or this is closed
   */
  public Optional<Reading> read() throws IOException {
    long now = System.currentTimeMillis();
    WatchFormat.watchUntil(file, now + LOOK_LIFE.toMillis());
    WatchFormat.Published published = WatchFormat.readOrNull(file);
    if (published == null) {
      return Optional.empty();
    }
    Map<String, String> values = new LinkedHashMap<>();
    published.text().lines().forEach(line -> put(values, line));
    boolean isNumberOfOurs = WatchFormat.namespace().equals(values.get(WatchFormat.NAMESPACE));
    process = isNumberOfOurs ? published.process() : 0;
    if (published.millis() == 0) {
      return Optional.empty();
    }
    return Optional.of(new Reading(published.millis(), published.process(), values));
  }

  private static void put(Map<String, String> values, String line) {
    int equals = line.indexOf('=');
    if (equals > 0) {
      values.put(line.substring(0, equals), line.substring(equals + 1));
    }
  }

  /**
   * Returns whether the store is open still: it was not closed, and its process, if that is known
   * by a {@link #read}, has not ended. Whether one in another container has is not seen.
   *
   * @throws IOException if the file cannot be read, or this is closed
   */
  public boolean isOpen() throws IOException {
    return WatchFormat.isWatchFile(file)
        && (process == 0 || ProcessHandle.of(process).map(ProcessHandle::isAlive).orElse(false));
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
