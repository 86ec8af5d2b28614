package io.ewok.gds.bench.scratch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Makes directories that go when the process is interrupted, if whoever has them made has not
 * deleted them before.
 *
 * <p>Threads: any.
 */
public final class ScratchDirectories {
  /** Somebody may still write there while it is deleted. */
  private static final int TRIES = 10;

  private static final Set<Path> MADE = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> MADE.forEach(ScratchDirectories::end)));
  }

  private ScratchDirectories() {}

  /** Makes one in the directory for temporary files, with a name that begins with these letters. */
  public static Path create(String prefix) throws IOException {
    return remember(Files.createTempDirectory(prefix));
  }

  /** Makes one in a directory, with a name that begins with these letters. */
  public static Path create(Path parent, String prefix) throws IOException {
    return remember(Files.createTempDirectory(parent, prefix));
  }

  private static Path remember(Path directory) {
    MADE.removeIf(Files::notExists);
    MADE.add(directory.toAbsolutePath());
    return directory;
  }

  /** Deletes a directory with all that is in it. */
  public static void delete(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path each : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  private static void end(Path directory) {
    for (int i = 0; i < TRIES && !tryDelete(directory); i++) {
      Thread.onSpinWait();
    }
  }

  /** Returns false if there was a new file meanwhile. */
  private static boolean tryDelete(Path directory) {
    try {
      if (Files.exists(directory)) {
        delete(directory);
      }
      return true;
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }
}
