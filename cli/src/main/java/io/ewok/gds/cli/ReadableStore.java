package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.ReadOnlyFamily;
import io.ewok.gds.lsm.ReadOnlyStore;
import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreLockedException;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreStats;
import io.ewok.gds.pagestore.OutOfSpaceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A store for a command that only reads: opened as any, or, if somebody else has it open or nothing
 * can be written there, be it for rights or for room, as it is, without a lock. Then the user is
 * told.
 *
 * <p>Whoever opened it closes it. Confined to one thread.
 */
final class ReadableStore implements AutoCloseable {
  /** One of the two is null. */
  private final Store store;

  private final ReadOnlyStore readOnly;

  private ReadableStore(Store store, ReadOnlyStore readOnly) {
    this.store = store;
    this.readOnly = readOnly;
  }

  /** Opens a store that must be there. */
  static ReadableStore open(Path directory, StoreOptions options, Streams streams)
      throws IOException {
    StoreOptions existing = options.withCreateIfMissing(false);
    if (Files.isDirectory(directory) && !Files.isWritable(directory)) {
      return openReadOnly(directory, existing, "nothing can be written there", streams);
    }
    try {
      return new ReadableStore(Store.open(directory, existing), null);
    } catch (StoreLockedException e) {
      return openReadOnly(directory, existing, "it is open elsewhere", streams);
    } catch (OutOfSpaceException e) {
      return openReadOnly(directory, existing, "no space is left there", streams);
    }
  }

  private static ReadableStore openReadOnly(
      Path directory, StoreOptions options, String reason, Streams streams) throws IOException {
    ReadOnlyStore opened = Store.openReadOnly(directory, options);
    streams.note("the store is read as it is now, for " + reason + ": path=" + directory);
    return new ReadableStore(null, opened);
  }

  /** The families by name, the default one first. */
  Map<String, ReadView> views() {
    Map<String, ReadView> views = new LinkedHashMap<>();
    if (store != null) {
      for (Family family : store.families()) {
        views.put(family.name(), family);
      }
    } else {
      for (ReadOnlyFamily family : readOnly.families()) {
        views.put(family.name(), family);
      }
    }
    return views;
  }

  /** The numbers of the families, in the same order. */
  List<Integer> numbers() {
    return store != null
        ? store.families().stream().map(Family::id).toList()
        : readOnly.families().stream().map(ReadOnlyFamily::id).toList();
  }

  /** What the tables of each family are. */
  List<StoreStats.OfFamily> tables() {
    return store != null ? store.stats().families() : readOnly.tables();
  }

  /** Number of the newest operation that is seen. */
  long sequence() {
    return store != null ? store.stats().sequence() : readOnly.sequence();
  }

  /** The I/O engine, and why not a better one. */
  String engineReason() {
    return store != null ? store.stats().engineReason() : readOnly.engineReason();
  }

  /** What only who has a store open for himself can say. */
  Optional<StoreStats> stats() {
    return Optional.ofNullable(store).map(Store::stats);
  }

  @Override
  public void close() throws IOException {
    if (store != null) {
      store.close();
    } else {
      readOnly.close();
    }
  }
}
