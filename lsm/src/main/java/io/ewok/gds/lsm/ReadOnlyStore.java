package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A store that can only be read, whether or not somebody else writes to it meanwhile: another
 * process, or this one. It takes no lock, changes no file, and needs no right to; the writer does
 * not know of it, and is not held up. What it shows itself, as a family, is the default one.
 *
 * <p>It shows the store at one sequence number: that up to which the log was written when it was
 * opened or, as a follower of the store, {@linkplain #refresh refreshed} last. A refresh shows all
 * that was acknowledged before it as BUFFERED or SYNCED. So it may show what is not synced yet:
 * that survives the end of the writer, but not that of the machine, with which this one ends too.
 *
 * <p>What the tables do not have yet is read from the log into memory, as much as two memtables
 * hold: {@link StoreOptions#memtableBytes} is to be what the writer has, or more. All memory is
 * that of a store, {@link StoreOptions#memoryBytes}; it has no record cache. Of the other options
 * count the families' merge operators and times to live; what to do about a damaged log is not
 * asked for: damage of what was durable is an error. Tables that the writer has replaced take space
 * on the device until nobody reads them here, after a refresh.
 *
 * <p>Ownership: whoever opened it closes it. It ends cursors that are still open, and waits for
 * calls that are running. Cursors show the store as it was when they were made, or refreshed
 * themselves; such of earlier times keep up to two memtables. There are {@value
 * StoreOptions#MEMTABLES_MAX}: if too many are kept, a refresh is refused.
 *
 * <p>Threads: any, for all methods. Readers wait for nobody.
 *
 * {@snippet :
 * try (ReadOnlyStore store = Store.openReadOnly(directory, StoreOptions.defaults())) {
 *   byte[] found = store.get(key);
 *   long sequence = store.refresh(); // the same, a little later
 * }
 * }
 *
 * <p>Errors: as of a {@link ReadView}.
 */
public final class ReadOnlyStore extends ReadOnlyFamily implements AutoCloseable {
  private final StoreParts parts;
  private final StoreFollower follower;
  private final LongLock lock = new LongLock();

  /** Guarded by lock. */
  private boolean closed;

  private ReadOnlyStore(StoreParts parts, StoreFollower follower) {
    super(parts, parts.families.main());
    this.parts = parts;
    this.follower = follower;
  }

  static ReadOnlyStore open(
      StoreFiles files,
      StoreOptions options,
      IoEngine engine,
      boolean ownsEngine,
      LongSupplier clock)
      throws IOException {
    StoreParts parts = new StoreParts(engine, files, options, clock);
    if (ownsEngine) {
      parts.closeLater(engine::close);
    }
    try {
      return new ReadOnlyStore(parts, StoreFollower.open(parts));
    } catch (IOException | RuntimeException | Error e) {
      try {
        parts.close();
      } catch (IOException | RuntimeException | Error closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  /**
   * Goes on to what the store is now. It costs a look at the manifest and at the end of the log;
   * after each flush of the writer what is behind it in the log is read anew.
   *
   * @return the sequence number that is shown now, never less than before
   * @throws io.ewok.gds.pagestore.CorruptFileException if something that was durable is damaged;
   *     after this and all other exceptions the store is shown as it was before
   * @throws io.ewok.gds.pagestore.StorageException if the log has more than two memtables hold; if
   *     the writer was opened again without something that was shown here, as after a crash of the
   *     device's cache or with tolerance of damage; or if there is another store now
   * @throws IllegalStateException if too many cursors of earlier times are open, and after close
   */
  public long refresh() throws IOException {
    StoreWriter.requireMayWait();
    lock.lock();
    try {
      if (closed) {
        throw VersionSet.closed();
      }
      follower.refresh();
      return parts.versions.sequence();
    } finally {
      lock.unlock();
    }
  }

  /** Returns the sequence number of the newest operation that it shows. */
  public long sequence() {
    return parts.versions.sequence();
  }

  /** Returns the family with a name, or nothing if there is none. */
  public Optional<ReadOnlyFamily> family(String name) {
    return Optional.ofNullable(parts.families.find(name)).map(this::handle);
  }

  /** Returns all families, the default one first, in the order in which they were created. */
  public List<ReadOnlyFamily> families() {
    return parts.families.all().stream().map(this::handle).toList();
  }

  private ReadOnlyFamily handle(FamilyState family) {
    return family.isMain() ? this : new ReadOnlyFamily(parts, family);
  }

  /**
   * Returns what the tables of each family are. What was compacted is known to the writer alone.
   *
   * @throws IllegalStateException if the store is closed
   */
  public List<StoreStats.OfFamily> tables() {
    return StoreStatsReader.families(parts);
  }

  /** Returns which I/O engine it has, and why not a better one: one sentence for people. */
  public String engineReason() {
    return parts.engine.description();
  }

  /**
   * Closes it. Twice does nothing.
   *
   * @throws IllegalStateException if it is called by a consumer of a get or by a {@link
   *     CursorFilter}; the store stays open
   */
  @Override
  public void close() throws IOException {
    Thread caller = Thread.currentThread();
    if (parts.versions.contexts().isInConsumer(caller) || parts.versions.isInFilter(caller)) {
      throw new IllegalStateException("a consumer of a get or a filter cannot close the store");
    }
    StoreWriter.requireMayWait();
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        parts.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
