package io.ewok.gds.lsm;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.values.OpenValueFiles;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.lsm.values.ValueSource;
import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * The value files of a store that its open tables refer to, each of them open once. A table that
 * somebody still reads keeps its value files, whatever the manifest says of these by then.
 *
 * <p>Threads: those of {@link TableSet}; a file is left on any.
 */
final class ValueFileSet implements ValueSource {
  private static final Logger LOGGER = System.getLogger(ValueFileSet.class.getName());

  private final StoreFiles files;
  private final Consumer<Path> delete;
  private final Runnable whenUnused;
  private final Map<Long, ValueFile> open = new HashMap<>();
  private final Queue<ValueFile> unused = new ConcurrentLinkedQueue<>();

  /** Of files that are complete, and that no manifest names yet. */
  private final Map<Long, ValueFileMeta> written = new HashMap<>();

  /**
   * None yet.
   *
   * @param delete deletes a file that is not needed
   * @param whenUnused called when {@link #closeUnused} has work to do, on any thread
   */
  ValueFileSet(StoreFiles files, Consumer<Path> delete, Runnable whenUnused) {
    this.files = files;
    this.delete = delete;
    this.whenUnused = whenUnused;
  }

  /**
   * Takes note of a file that is complete. It is to become part of the store or to be discarded.
   */
  void finished(ValueFileMeta meta) {
    written.put(meta.number(), meta);
  }

  /** Forgets one that has become part of the store, or was discarded. */
  void forget(ValueFileMeta meta) {
    written.remove(meta.number());
  }

  /**
   * The files that a table refers to, all of them or none.
   *
   * @param manifest knows those that are part of the store
   */
  ValueSource retain(
      BufferManager buffers, Path table, ValueReferences references, Manifest manifest)
      throws IOException {
    if (references.isEmpty()) {
      return ValueSource.NONE;
    }
    LongFunction<ValueFileMeta> metas =
        number -> {
          ValueFileUse use = manifest.values().get(number);
          return use == null ? written.get(number) : use.meta();
        };
    List<ValueFile> retained = new ArrayList<>();
    try {
      for (int i = 0; i < references.count(); i++) {
        long number = references.file(i);
        ValueFile file = open.get(number);
        if (file == null || !file.references.tryRetain()) {
          ValueFileMeta meta = metas.apply(number);
          if (meta == null) {
            throw new CorruptFileException(
                table, 0, "references to value files of the store", "file " + number);
          }
          file = ValueFile.open(buffers, files.values(number), meta, this::unused);
          open.put(number, file);
        }
        retained.add(file);
      }
      return new OpenValueFiles(retained);
    } catch (IOException | RuntimeException | Error e) {
      retained.forEach(ValueFile::release);
      throw e;
    }
  }

  /** A file that is open, for who keeps a table that refers to it. */
  @Override
  public ValueFile findOrNull(long number) {
    return open.get(number);
  }

  /** This keeps none. */
  @Override
  public void release() {}

  /** Says that a file is not part of the store any more: it goes with its last user. */
  void remove(long number) {
    ValueFile file = open.get(number);
    if (file == null) {
      delete.accept(files.values(number));
    } else {
      file.setReplaced();
    }
  }

  private void unused(ValueFile file) {
    unused.add(file);
    whenUnused.run();
  }

  boolean hasUnused() {
    return !unused.isEmpty();
  }

  /** Closes the files that nobody uses any more, and deletes those that are not of the store. */
  void closeUnused() {
    for (ValueFile file = unused.poll(); file != null; file = unused.poll()) {
      open.remove(file.meta().number(), file);
      try {
        file.close();
      } catch (IOException e) {
        LOGGER.log(Logger.Level.WARNING, "cannot close a value file: path=" + file.path(), e);
      }
      if (file.isReplaced()) {
        delete.accept(file.path());
      }
    }
  }
}
