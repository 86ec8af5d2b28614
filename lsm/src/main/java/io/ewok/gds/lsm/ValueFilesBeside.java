package io.ewok.gds.lsm;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFileInspection;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueSource;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The value files in a directory, opened as tables refer to them: for who looks at a store that
 * nobody has open.
 *
 * <p>Ownership: whoever made it closes it, after the tables and before the buffers. Threads:
 * confined to one.
 */
final class ValueFilesBeside implements ValueSource, AutoCloseable {
  private final BufferManager buffers;
  private final IoEngine engine;
  private final StoreFiles files;

  /** By number, what is known already. */
  private final Map<Long, ValueFileMeta> metas;

  private final Map<Long, ValueFile> open = new HashMap<>();
  private final Map<Long, StorageException> failures = new HashMap<>();

  /**
   * Opens none yet.
   *
   * @param known by number, what a manifest says; the files themselves tell the rest
   */
  ValueFilesBeside(
      BufferManager buffers, IoEngine engine, StoreFiles files, Map<Long, ValueFileMeta> known) {
    this.buffers = buffers;
    this.engine = engine;
    this.files = files;
    this.metas = new HashMap<>(known);
  }

  @Override
  public ValueFile findOrNull(long number) throws IOException {
    ValueFile found = open.get(number);
    if (found != null) {
      return found;
    }
    StorageException failure = failures.get(number);
    if (failure != null) {
      throw failure; // else each reference to it would try again
    }
    try {
      found = ValueFile.open(buffers, files.values(number), meta(number), _ -> {});
    } catch (StorageException e) {
      failures.put(number, e);
      throw e;
    }
    open.put(number, found);
    return found;
  }

  /** What is known of a file, if need be by reading it. */
  ValueFileMeta meta(long number) throws IOException {
    ValueFileMeta meta = metas.get(number);
    if (meta == null) {
      meta = ValueFileInspection.inspect(engine, files.values(number)).meta();
      metas.put(number, meta);
    }
    return meta;
  }

  /** Tables share the files. */
  @Override
  public void release() {}

  @Override
  public void close() throws IOException {
    for (ValueFile file : open.values()) {
      file.close();
    }
    open.clear();
  }
}
