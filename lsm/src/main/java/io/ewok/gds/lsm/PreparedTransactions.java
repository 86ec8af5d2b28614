package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.ewok.gds.lsm.lock.LockOwner;
import io.ewok.gds.lsm.lock.LockResult;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;

/**
 * Keeps the prepared transactions of a store, in a family of its own: to prepare is to write one
 * record there, to decide is to delete it with what the commit writes, in one batch. So they go the
 * way of all records, through log, tables, copies and recoveries.
 *
 * <p>Threads: any.
 */
final class PreparedTransactions {
  private final StoreParts parts;
  private final StoreWriter writer;
  private final Transactions transactions;

  /** Those whose record is in the log, or may be there in a moment, by name. */
  private final ConcurrentSkipListMap<String, PreparedTransaction> prepared =
      new ConcurrentSkipListMap<>();

  private final LongLock creating = new LongLock();

  PreparedTransactions(StoreParts parts, StoreWriter writer, Transactions transactions) {
    this.parts = parts;
    this.writer = writer;
    this.transactions = transactions;
  }

  /** As the family of prepared transactions is kept: nothing of it may go by itself. */
  static TreeOptions tree(TreeOptions ofStore) {
    return ofStore
        .withTtl(Duration.ZERO)
        .withMergeOperator(MergeOperator.NONE)
        .withCompactionFilter(CompactionFilter.NONE)
        .withStyle(CompactionStyle.LEVELED);
  }

  /** Finds the prepared transactions of a store that is being opened, and locks their keys. */
  void recover() throws IOException {
    FamilyState family = parts.families.find(Transactions.FAMILY);
    if (family == null) {
      return;
    }
    try (StoreCursor cursor = new Family(parts, writer, family).cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        String name = new String(cursor.key().toArray(JAVA_BYTE), UTF_8);
        LockOwner owner = new LockOwner(transactions.nextNumber());
        PreparedFormat.Content content = decoded(name, cursor.value());
        lock(name, content, owner);
        prepared.put(name, new PreparedTransaction(this, name, content, owner));
      }
    }
  }

  private PreparedFormat.Content decoded(String name, MemorySegment value) throws IOException {
    try {
      return PreparedFormat.decode(value);
    } catch (IllegalArgumentException e) {
      throw new StorageException(
          "a prepared transaction cannot be read: %s name=%s".formatted(e.getMessage(), name),
          parts.files.directory());
    }
  }

  /** Nobody else has locks yet but others that were prepared, which exclude each other. */
  private void lock(String name, PreparedFormat.Content content, LockOwner owner)
      throws IOException {
    SearchKey wanted = new SearchKey();
    for (PreparedFormat.Key key : content.keys()) {
      FamilyState family = parts.families.find(key.family());
      if (family != null) {
        long hash = TransactionLocks.hash(family, wanted.set(MemorySegment.ofArray(key.key())));
        LockResult result = transactions.locks().lock(owner, hash, key.exclusive(), 0, () -> name);
        if (result != LockResult.GRANTED) {
          throw new StorageException(
              "a key of a prepared transaction cannot be locked: name=%s %s"
                  .formatted(name, new LockedKey(family.name(), key.key())),
              parts.files.directory());
        }
      }
    }
  }

  /** All of them, by their names. */
  List<PreparedTransaction> all() {
    return List.copyOf(prepared.values());
  }

  boolean hasSome() {
    return !prepared.isEmpty();
  }

  /**
   * Prepares what a transaction has written.
   *
   * @param check of what it stands on
   * @param to takes what was prepared
   * @return a conflict, or null if it is prepared
   * @throws IllegalArgumentException if the name is in use, or it is too much; nothing is changed
   */
  Conflict prepare(
      String name,
      PreparedFormat.Content content,
      LockOwner owner,
      CommitCheck check,
      Consumer<PreparedTransaction> to)
      throws IOException {
    byte[] key = name.getBytes(UTF_8);
    if (key.length < 1 || key.length > Transactions.NAME_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a prepared transaction has a name of 1 to %d bytes: name=%s"
              .formatted(Transactions.NAME_BYTES_MAX, name));
    }
    FamilyState family = family();
    WriteBatch batch =
        new WriteBatch()
            .add(
                family, RecordKind.PUT, MemorySegment.ofArray(key), PreparedFormat.encode(content));
    PreparedTransaction made = new PreparedTransaction(this, name, content, owner);
    writer.requireFits(batch);
    writer.requireFits(decision(made, true));
    // Before its place in the log, so that those behind that know of it.
    if (prepared.putIfAbsent(name, made) != null) {
      throw new IllegalArgumentException("there is a prepared transaction so called: name=" + name);
    }
    boolean done = false;
    try {
      Conflict conflict = writer.writeIf(batch, check, WriteOptions.of(Durability.SYNCED));
      done = conflict == null;
      if (done) {
        to.accept(made);
      }
      return conflict;
    } finally {
      if (!done) {
        prepared.remove(name);
      }
    }
  }

  /** The family of prepared transactions, which is created if need be. */
  private FamilyState family() throws IOException {
    creating.lock();
    try {
      FamilyState family = parts.families.find(Transactions.FAMILY);
      return family != null
          ? family
          : parts.background.run(
              () ->
                  parts.familyChanges.create(
                      Transactions.FAMILY, tree(parts.live.options().tree())),
              FamilyChanges.FAILED);
    } finally {
      creating.unlock();
    }
  }

  /** What is written when one is decided: all of it at once. */
  private WriteBatch decision(PreparedTransaction of, boolean commits) {
    WriteBatch batch = new WriteBatch();
    if (commits) {
      MemorySegment record = of.content().record();
      FamilyState family = parts.families.main();
      long offset = BatchFormat.HEADER_BYTES;
      for (int i = 0; i < BatchFormat.count(record); i++) {
        if (BatchFormat.isFamilyMark(record, offset)) {
          family = parts.families.find(BatchFormat.family(record, offset));
        } else if (family != null && !family.isDropped()) {
          long key = offset + BatchFormat.OPERATION_HEADER_BYTES;
          int keyBytes = BatchFormat.keyBytes(record, offset);
          WriteBatch unused =
              batch.add(
                  family,
                  BatchFormat.kind(record, offset),
                  record.asSlice(key, keyBytes),
                  record.asSlice(key + keyBytes, BatchFormat.valueBytes(record, offset)));
        }
        offset += BatchFormat.operationBytes(record, offset);
      }
    }
    return batch.add(
        parts.families.find(Transactions.FAMILY),
        RecordKind.SINGLE_DELETE,
        MemorySegment.ofArray(of.name().getBytes(UTF_8)),
        MemorySegment.NULL);
  }

  /** Commits one, or rolls it back. */
  void decide(PreparedTransaction one, boolean commits, WriteOptions options) throws IOException {
    writer.write(decision(one, commits), options);
    prepared.remove(one.name());
    transactions.locks().releaseAll(one.owner());
  }

  /**
   * A key that a transaction has written, or that lies in a range it deletes, and another one holds
   * that is prepared; or null.
   *
   * @param ownerOrNull itself, if it locks
   */
  Conflict heldAgainst(OwnWrites own, LockOwner ownerOrNull) {
    if (prepared.isEmpty()) {
      return null;
    }
    for (OwnWrite write : own.all()) {
      FamilyState family = write.of().family();
      byte[] key = write.key();
      for (PreparedTransaction each : prepared.values()) {
        if (each.owner() == ownerOrNull) {
          continue;
        }
        byte[] found =
            write.keyOrNull() == null
                ? each.firstOrNull(family.id(), key, write.value())
                : each.has(family.id(), key) ? key : null;
        if (found != null) {
          return new Conflict(family, found, 0, each.name());
        }
      }
    }
    return null;
  }
}
