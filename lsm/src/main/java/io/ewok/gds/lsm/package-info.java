/**
 * An ordered, durable key-value store in one directory, its memory outside of the heap and under
 * one budget.
 *
 * <p>It is not a server, and is written by one process at a time; others may read it meanwhile, as
 * {@link io.ewok.gds.lsm.ReadOnlyStore}s.
 *
 * <p>The nouns: a <em>memtable</em> holds the newest records in memory; a <em>table</em> is a
 * sorted, immutable file of records; a <em>run</em> is a list of tables whose keys do not overlap;
 * a <em>level</em> is a run, and the older its records the deeper it lies, but for level 0, whose
 * tables were just flushed and may overlap; a <em>block</em> is the part of a table that is read at
 * once; the <em>manifest</em> names the tables that make up the store; a <em>record</em> is one
 * put, delete or merge operand, with its sequence number; a <em>family</em> is a set of keys with
 * levels and options of its own, of which a store has one or more.
 *
 * <p>A {@link io.ewok.gds.lsm.Store}, its {@link io.ewok.gds.lsm.Family families}, and a {@link
 * io.ewok.gds.lsm.Snapshot} of it, are read in the ways of {@link io.ewok.gds.lsm.ReadView}, key by
 * key or with a {@link io.ewok.gds.lsm.StoreCursor}, several ranges with a {@link
 * io.ewok.gds.lsm.RangesCursor}. Keys and values are bytes; {@link io.ewok.gds.lsm.TypedStore}
 * makes objects of them. {@link io.ewok.gds.lsm.StoreChanges} are its writes, for who follows them,
 * and a {@link io.ewok.gds.lsm.TailingCursor} goes on with keys that are to come. {@link
 * io.ewok.gds.lsm.Transactions} read and write as if alone; an {@link io.ewok.gds.lsm.IndexedBatch}
 * shows what it would make of the store. Much that comes in the order of its keys is brought in by
 * a {@link io.ewok.gds.lsm.SortedIngest}, with tables of {@link io.ewok.gds.lsm.StoreTableWriter}s
 * or without; {@link io.ewok.gds.lsm.ExportWriter} and {@link io.ewok.gds.lsm.ExportReader} are a
 * stream of all records of a store, for other stores. For a store that nobody has open there are
 * {@link io.ewok.gds.lsm.StoreInspection}, which looks, and {@link io.ewok.gds.lsm.StoreRepair}. An
 * open one is copied with {@link io.ewok.gds.lsm.Store#checkpoint}, and saved elsewhere with {@link
 * io.ewok.gds.lsm.Backups}.
 *
 * <p>Threads: a store, a snapshot and what is typed are for any thread, platform or virtual;
 * cursors, batches, transactions and {@link io.ewok.gds.lsm.PinnedValue}s for one at a time. Of the
 * tasks of a reactor, fibers do all of it; DIRECT ones only read, best what is in memory. No
 * argument may be null; {@code get} returns null for a key without a value, nothing else does.
 *
 * {@snippet :
 * try (Store store = Store.open(directory, StoreOptions.defaults())) {
 *   store.put(key, value, Durability.SYNCED);
 *   byte[] found = store.get(key);
 * }
 * }
 */
package io.ewok.gds.lsm;
