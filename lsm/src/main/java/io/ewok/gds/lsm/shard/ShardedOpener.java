package io.ewok.gds.lsm.shard;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.NotAStoreException;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreLockedException;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.LockedException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.GroupOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens a sharded store: creates it where there is none, opens its shards, and has done in them
 * what the sequence log has and they lack.
 *
 * <p>A store is created as a list of shards that says so, then the shards and the sequence log,
 * then the list again; what a crash in between leaves the next opening completes.
 *
 * <p>Threads: confined to one.
 */
final class ShardedOpener {
  private final IoEngine engine;
  private final ShardedFiles files;
  private final ShardedOptions options;
  private final Closings closings;
  private final MemoryBudget budget;
  private boolean isCreated;
  private long[] applied;
  private long last;

  Shard[] shards;
  SequenceLog log;

  ShardedOpener(IoEngine engine, Path directory, ShardedOptions options, Closings closings) {
    this.engine = engine;
    this.files = new ShardedFiles(directory);
    this.options = options;
    this.closings = closings;
    this.budget = MemoryBudget.root("sharded store", options.memoryBytes());
  }

  MemoryBudget budget() {
    return budget;
  }

  /** Returns the number of the next transaction. */
  long next() {
    return last + 1;
  }

  /** Opens it. After an exception the caller closes what is open. */
  void open() throws IOException {
    enterDirectory();
    List<Reactor> reactors = reactors();
    shards = new Shard[options.count()];
    applied = new long[shards.length];
    for (int i = 0; i < shards.length; i++) {
      shards[i] = openShard(i, reactors.get(i));
      applied[i] = shards[i].applied();
      last = Math.max(last, applied[i]);
    }
    openLog();
    if (!isCreated) {
      writeList(true);
    }
  }

  // ---- directory

  private void enterDirectory() throws IOException {
    Path directory = files.directory();
    if (!engine.exists(directory)) {
      requireCreatable("there is no store");
      engine.createDirectories(directory);
    }
    requireStoreOrRoom();
    try {
      DirectoryLock lock = engine.lock(files.lock());
      closings.add(lock::close);
    } catch (LockedException e) {
      throw new StoreLockedException(directory, e);
    }
    requireStoreOrRoom(); // another process may have been at work before this one had the lock
    if (engine.exists(files.shards())) {
      readList();
    } else {
      writeList(false);
    }
  }

  private void requireStoreOrRoom() throws IOException {
    if (engine.exists(files.shards())) {
      return;
    }
    for (Path entry : engine.list(files.directory())) {
      if (!ShardedFiles.isLeftByCreation(entry)) {
        throw new NotAStoreException(
            "the directory is not empty and holds no sharded store, but " + entry.getFileName(),
            files.directory());
      }
    }
    requireCreatable("the directory is empty");
  }

  private void requireCreatable(String reason) throws NotAStoreException {
    if (!options.store().createIfMissing()) {
      throw new NotAStoreException(
          reason + ", and none is to be created: createIfMissing=false", files.directory());
    }
  }

  private void writeList(boolean created) throws IOException {
    ShardsFormat.write(
        engine,
        files.shards(),
        new ShardsFormat.Content(created, options.count(), options.partitioning()));
  }

  private void readList() throws IOException {
    ShardsFormat.Content content = ShardsFormat.read(engine, files.shards());
    if (content.count() != options.count()) {
      throw new IllegalArgumentException(
          "the store has another number of shards, %d: count=%d"
              .formatted(content.count(), options.count()));
    }
    if (!content.partitioning().equals(options.partitioning())) {
      throw new IllegalArgumentException(
          "the store is partitioned in another way, %s: partitioning=%s"
              .formatted(content.partitioning(), options.partitioning()));
    }
    isCreated = content.created();
    if (!isCreated) {
      requireCreatable("the creation of the store has not come to its end");
    }
  }

  // ---- shards

  /** Those of the engine, or where it has too few of its own. */
  private List<Reactor> reactors() throws IOException {
    List<Reactor> own = engine.reactors();
    if (own.size() >= options.count()) {
      return own;
    }
    GroupOptions group = options.store().engine().reactors();
    ReactorGroup started =
        ReactorGroup.start(
            GroupOptions.defaults()
                .withCount(options.count())
                .withReactor(group.reactor().withName("gds-shard")));
    closings.add(started::close);
    return started.reactors();
  }

  private Shard openShard(int number, Reactor owner) throws IOException {
    Path directory = files.shard(number);
    if (isCreated && !engine.exists(directory)) {
      throw new CorruptFileException(directory, 0, "a shard of the store", "nothing");
    }
    StoreOptions store = options.storeOfShard().withCreateIfMissing(!isCreated);
    Store opened =
        options.ownersCompact()
            ? Store.open(directory, store, engine, budget, owner)
            : Store.open(directory, store, engine, budget);
    closings.add(opened::close);
    Family sequence =
        opened.family(Shard.FAMILY).isPresent()
            ? opened.family(Shard.FAMILY).orElseThrow()
            : createFamily(opened, directory);
    return new Shard(number, directory, opened, sequence, owner);
  }

  private Family createFamily(Store opened, Path directory) throws IOException {
    if (isCreated) {
      throw new CorruptFileException(directory, 0, "the family " + Shard.FAMILY, "nothing");
    }
    return opened.createFamily(Shard.FAMILY);
  }

  // ---- the sequence log

  private void openLog() throws IOException {
    if (isCreated
        && (!engine.exists(files.sequence()) || engine.list(files.sequence()).isEmpty())) {
      // Opening the log would create a new one.
      throw new CorruptFileException(files.sequence(), 0, "the sequence log", "nothing");
    }
    try {
      log =
          SequenceLog.open(
              engine,
              files.sequence(),
              options.store(),
              options.count(),
              budget.child("sequence", SequenceLog.memoryBytes(options.store())),
              this::redo);
    } catch (BudgetExceededException e) {
      throw new StorageException(
          "the sequence log holds an epoch too large for this memory, open the store with larger"
              + " sizes: logSegmentBytes="
              + options.store().logSegmentBytes(),
          files.sequence(),
          e);
    }
    closings.add(log::close);
    for (Shard shard : shards) {
      shard.sync();
    }
    log.clear();
  }

  /** Does of an epoch what shards have lost. */
  private void redo(SequenceFormat.Content epoch) throws IOException {
    for (Shard shard : shards) {
      List<Operation> own =
          epoch.operations().stream().filter(each -> each.shard() == shard.number).toList();
      long has = applied[shard.number];
      if (own.isEmpty() || has >= epoch.last()) {
        continue;
      }
      if (has >= epoch.first()) {
        throw new CorruptFileException(
            files.sequence(), 0, "an epoch with the number " + has, "one around it");
      }
      shard.redo(own, epoch.last());
      applied[shard.number] = epoch.last();
    }
    last = Math.max(last, epoch.last());
  }
}
