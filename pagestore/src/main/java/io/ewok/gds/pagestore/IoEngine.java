package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.reactor.Reactor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A way to files: io_uring, a pool of threads, or a simulation, behind one interface with one
 * behaviour. What is above this interface knows no other way to a file.
 *
 * <p>Ownership: whoever opens an engine closes it, after its files; closing it closes files that
 * are still open. Regions that were registered are unregistered by close.
 *
 * <p>Threads: any, platform or virtual, for all methods. A virtual thread never holds its carrier
 * in a call that waits for the device, nor does the thread of a reactor stop its loop: the loop
 * turns inside of the call. An interrupt does not end a wait for the device: the kernel owns the
 * memory until it is done. The wait goes on, the interrupt status is kept.
 *
 * <pre>{@code
 * try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
 *     IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
 *   int count = file.read(0, region, 0, 4096);
 * }
 * }</pre>
 *
 * <p>Errors: all methods throw {@link IllegalStateException} after close, and the family of {@link
 * StorageException} for what the file system refuses.
 */
public interface IoEngine extends AutoCloseable {
  /** Returns URING, POOL or SIM. */
  String name();

  /** Returns one sentence for people: the engine, its settings, and why not a better one. */
  String description();

  /** Returns how this engine came to be chosen. */
  EngineChoice choice();

  /**
   * Opens a regular file or a block device; a symbolic link as the last element of the path is
   * refused.
   *
   * @throws MissingFileException if the mode wants a file and there is none
   */
  IoFile open(Path path, OpenMode mode) throws IOException;

  /**
   * Creates the directory and those above it that are missing, for their owner alone (mode 0700).
   * The new directories are durable on return.
   */
  void createDirectories(Path directory) throws IOException;

  /**
   * Returns the entries of a directory, sorted by name; each as {@code directory.resolve(name)}.
   */
  List<Path> list(Path directory) throws IOException;

  /** Returns whether there is a file or directory of this name. Links are not followed. */
  boolean exists(Path path) throws IOException;

  /**
   * Renames a file atomically; an existing {@code to} is replaced. Both names are in one file
   * system. Durable after {@link #syncDirectory} of the directory, or directories. A directory is
   * renamed with all that is in it; what {@code to} is then, if it exists, is an empty directory.
   */
  void rename(Path from, Path to) throws IOException;

  /**
   * Gives a file a second name, without copying it: a hard link. It goes when its last name does.
   * Durable after {@link #syncDirectory} of the directory of the new name.
   *
   * @param existing the file
   * @param link the new name, which does not exist
   * @return whether it has that name; false where the file system has no such links, not between
   *     these directories, or no more of them of this file: nothing has changed then
   */
  boolean link(Path existing, Path link) throws IOException;

  /** Deletes a file or an empty directory. Durable after {@link #syncDirectory}. */
  void delete(Path path) throws IOException;

  /** Makes the entries of a directory durable: files created, renamed and deleted in it. */
  void syncDirectory(Path directory) throws IOException;

  /**
   * Takes the lock that the file stands for, without waiting. The file is created if it is missing
   * and stays behind. The lock is held until it is closed, also past the close of the engine; a
   * process that ends, in whatever way, frees its locks.
   *
   * @throws LockedException if it is held, by this process or another
   */
  DirectoryLock lock(Path lockFile) throws IOException;

  /**
   * Tells the engine that a region will be used for many transfers, so that it can keep it mapped
   * for the kernel. Until {@link #unregister} or the close of the engine the region can neither be
   * closed nor give memory back: the kernel remembers its pages. That the kernel refuses (a small
   * RLIMIT_MEMLOCK) only costs speed; {@link #description} tells it.
   *
   * @throws IllegalStateException if the region is registered already, closed, or a reserved one
   *     that is not committed as a whole
   */
  void register(Region region);

  /**
   * Undoes {@link #register}. Transfers in flight end undisturbed.
   *
   * @throws IllegalStateException if the region is not registered
   */
  void unregister(Region region);

  /**
   * Starts a prepared request and returns. May wait while the engine's queue is full. What goes
   * wrong from here on is told by {@link IoRequest#await}.
   *
   * @throws IllegalStateException if the request is not prepared, or its file, region or this
   *     engine is closed; nothing has started
   * @throws IllegalArgumentException if the request's file belongs to another engine
   */
  void submit(IoRequest request);

  /**
   * Starts requests 0 to {@code count - 1} of the array as one batch: one native call where the
   * engine can. All start, or on an exception as in {@link #submit} none.
   */
  void submitAll(IoRequest[] requests, int count);

  /**
   * Asks that a request end early, because its outcome does not matter any more. Its owner's call,
   * between submit and await. It ends with {@link java.util.concurrent.CancellationException}, a
   * write perhaps done in part; or, if it was too late for that, as if nothing had been asked. Its
   * memory is in use until it has ended, as ever.
   */
  default void cancel(IoRequest request) {
    // An engine in which none waits has nothing to do.
  }

  /**
   * Returns the reactors that the engine transfers with, none where it has no such. What a task on
   * one of them transfers goes through that one's own ring, so its fibers wait without another
   * thread. They are the engine's and end with it: what is sent to them ends before.
   */
  default List<Reactor> reactors() {
    return List.of();
  }

  /**
   * Returns the keys for what is kept in its files, by whoever does that: logs, stores, backups.
   * The engine itself reads and writes bytes as they are.
   */
  default KeySource keys() {
    return KeySource.NONE;
  }

  /**
   * Limits what is asked of the device, from now on and for what waits already. Without limits,
   * which is how an engine begins, transfers take a shorter way: nothing is decided for them.
   *
   * <p>Transfers that are held back wait in the engine; they need no thread. Closing a file waits
   * for them, closing the engine lifts the limits first. Transfers that go on when limits are set
   * are not charged.
   */
  void setThrottle(ThrottleOptions options);

  /** Returns the limits. */
  ThrottleOptions throttle();

  /** Returns what a class of work has asked for while there were limits, and how long it waited. */
  ClassStats stats(WorkClass work);

  /** Returns the counters. */
  IoStats stats();

  /**
   * Waits for what is in flight, closes the files still open and stops. Twice does nothing.
   *
   * @throws IllegalStateException in a completion or on one of its {@link #reactors}, which it
   *     would wait for; nothing has changed
   */
  @Override
  void close() throws IOException;
}
