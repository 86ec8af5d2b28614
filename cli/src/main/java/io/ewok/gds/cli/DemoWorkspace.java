package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The directory of one demonstration, and its end: it is removed when the demonstration closes it,
 * be it finished, failed or interrupted, unless it is to be kept.
 *
 * <p>On Ctrl-C a shutdown hook asks the demonstration to stop ({@link #checkNotCancelled}) and
 * waits a few seconds for it to close its stores and this workspace.
 *
 * <p>Threads: {@link #checkNotCancelled} any, the rest is confined to the demonstration's.
 */
final class DemoWorkspace implements AutoCloseable {
  private static final long STOP_SECONDS = 5;

  private final Path root;
  private final boolean rootIsOurs;
  private final boolean keep;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::cancel, "gds-demo-cleanup");
  private volatile boolean cancelled;

  private DemoWorkspace(Path root, boolean rootIsOurs, boolean keep) {
    this.root = root;
    this.rootIsOurs = rootIsOurs;
    this.keep = keep;
  }

  /**
   * Makes the directory.
   *
   * @param given must be absent or empty; null for a temporary directory
   * @throws CommandFailure if it is neither
   */
  static DemoWorkspace open(Path given, boolean keep) throws IOException {
    DemoWorkspace workspace;
    if (given == null) {
      workspace = new DemoWorkspace(Files.createTempDirectory("gds-demo-"), true, keep);
    } else {
      boolean absent = Files.notExists(given);
      if (!absent && !isEmptyDirectory(given)) {
        throw CommandFailure.failed(
            "a demonstration needs an empty or absent directory: path=" + given);
      }
      workspace = new DemoWorkspace(Files.createDirectories(given), absent, keep);
    }
    Runtime.getRuntime().addShutdownHook(workspace.hook);
    return workspace;
  }

  Path root() {
    return root;
  }

  /** The store of the main job. */
  Path store() {
    return root.resolve("store");
  }

  /** The store whose loader is killed. */
  Path killedStore() {
    return root.resolve("killed");
  }

  /** What the loader says on its standard error. */
  Path loaderErrors() {
    return root.resolve("loader.err");
  }

  boolean isKept() {
    return keep;
  }

  /**
   * To be called often in long work.
   *
   * @throws CommandFailure if the process is about to end
   */
  void checkNotCancelled() {
    if (cancelled) {
      throw CommandFailure.failed("interrupted");
    }
  }

  /** Removes the directory, unless it is kept. The stores in it must be closed. */
  @Override
  public void close() throws IOException {
    try {
      if (!keep) {
        remove();
      }
    } finally {
      closed.countDown();
      if (!cancelled) {
        try {
          Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
          cancelled = true; // The process began to end just now; the hook finds us closed.
        }
      }
    }
  }

  private void cancel() {
    cancelled = true;
    try {
      if (!closed.await(STOP_SECONDS, TimeUnit.SECONDS) && !keep) {
        remove();
      }
    } catch (InterruptedException | IOException e) {
      System.err.println("gds: the demonstration left files behind: path=" + root + " reason=" + e);
    }
  }

  private void remove() throws IOException {
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE; // Removed by the store meanwhile.
            }
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            if (rootIsOurs || !directory.equals(root)) {
              Files.deleteIfExists(directory);
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static boolean isEmptyDirectory(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.findAny().isEmpty();
    }
  }
}
