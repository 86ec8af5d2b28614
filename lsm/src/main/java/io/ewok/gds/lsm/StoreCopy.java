package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;

/**
 * Makes a store out of tables, value files and a manifest, in a directory that appears whole or not
 * at all: it is put together under another name, beside it, and renamed when everything in it is
 * durable.
 *
 * <p>Ownership: whoever begins a copy closes it, which removes what is not complete. What a crash
 * leaves behind the next copy of the same name removes. Threads: one at a time.
 */
final class StoreCopy implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(StoreCopy.class.getName());

  private static final String UNFINISHED_SUFFIX = ".copying";

  private final IoEngine engine;
  private final Path target;
  private final StoreFiles files;
  private final DirectoryLock lock;
  private boolean renamed;

  private StoreCopy(IoEngine engine, Path target, StoreFiles files, DirectoryLock lock) {
    this.engine = engine;
    this.target = target;
    this.files = files;
    this.lock = lock;
  }

  /**
   * Begins a copy.
   *
   * @param directory does not exist
   * @throws StorageException if it does
   * @throws StoreLockedException if somebody else makes a copy of this name
   */
  static StoreCopy begin(IoEngine engine, Path directory) throws IOException {
    Path target = directory.toAbsolutePath().normalize();
    if (engine.exists(target)) {
      throw new StorageException("there is something of this name already", target);
    }
    StoreFiles files =
        new StoreFiles(target.resolveSibling(target.getFileName() + UNFINISHED_SUFFIX));
    engine.createDirectories(files.directory());
    DirectoryLock lock = files.lock(engine);
    StoreCopy copy = new StoreCopy(engine, target, files, lock);
    try {
      copy.clear();
      return copy;
    } catch (IOException | RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  /** Where all goes until it is complete. */
  StoreFiles files() {
    return files;
  }

  /** Where a file goes. Its content is to be durable before {@link #complete}. */
  Path path(FileMeta file) {
    return files.path(file);
  }

  /**
   * Adds manifest and log, and gives the directory its name. Durable on return.
   *
   * @param manifest of files that are all there; the log begins behind them
   * @param log sizes of the log
   * @throws IOException if that fails; if it was in making the name durable, the copy may be there
   */
  void complete(Manifest manifest, LogOptions log) throws IOException {
    long beginLsn =
        WriteAheadLog.create(
            engine,
            files.log(),
            log,
            manifest.horizonLsn(),
            MemoryBudget.root("log of a copy", log.memoryBytes()));
    // This syncs the directory, and with it the names of the files.
    ManifestLog.replace(engine, files.manifest(), manifest.withoutLog(beginLsn).snapshot());
    engine.rename(files.directory(), target);
    renamed = true;
    engine.syncDirectory(target.getParent());
  }

  /** Removes what is there; only what a copy leaves behind. */
  private void clear() throws IOException {
    for (Path path : engine.list(files.directory())) {
      if (path.equals(files.log())) {
        for (Path part : engine.list(path)) {
          engine.delete(part);
        }
        engine.delete(path);
      } else if (StoreFiles.fileNumber(path).isPresent() || StoreFiles.isManifest(path)) {
        engine.delete(path);
      } else if (!path.equals(files.lock())) {
        throw new StorageException("this was not left by a copy, and is in its way", path);
      }
    }
  }

  @Override
  public void close() throws IOException {
    try (lock) {
      if (!renamed) {
        clear();
        engine.delete(files.lock());
        engine.delete(files.directory());
      }
    } catch (IOException e) {
      // The next copy of this name removes it. What was wrong with this one is said already.
      LOGGER.log(
          Logger.Level.WARNING, "cannot remove what is not complete: path=" + files.directory(), e);
    }
  }
}
