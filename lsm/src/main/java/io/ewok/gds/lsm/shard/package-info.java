/**
 * A store in several parts, each on a processor of its own: as many {@link io.ewok.gds.lsm.Store}s
 * as there are <em>shards</em>, each with the keys that are its own and a reactor that its calls
 * run on.
 *
 * <p>It is one directory in one process. It does not spread over machines, and it is not for who
 * has one processor or few keys at a time: a call for another shard is a message there and one
 * back.
 *
 * <p>The nouns: the <em>partitioning</em> says which shard a key is of, by its hash or by its
 * range; the <em>owner</em> of a shard is its reactor; a <em>call</em> is a task on the owner, from
 * wherever it comes:
 *
 * <table>
 * <caption>Where a call comes from</caption>
 * <tr><th>the caller is</th><th>the call</th></tr>
 * <tr><td>a thread outside, platform or virtual</td><td>is sent to the owner; the caller waits, or
 * gets a future</td></tr>
 * <tr><td>a fiber or task of the owner</td><td>is done at once, without a message</td></tr>
 * <tr><td>a fiber of another shard that waits</td><td>is sent; the fiber waits without its thread, and
 * the result comes back as a message</td></tr>
 * <tr><td>any of them that does not wait yet</td><td>a {@link io.ewok.gds.lsm.shard.ShardCall}: it is
 * begun, and awaited later; begun several times, on several of them, it is a fork and a join</td></tr>
 * </table>
 *
 * <p><b>Several shards at once.</b> Plain writes, and batches whose keys are all of one shard, are
 * those of its store. What reads or writes keys of several shards as one, a {@link
 * io.ewok.gds.lsm.shard.ShardedBatch} or a transaction that names its keys beforehand, goes to the
 * <em>sequencer</em>, which gives it a number, and all are done as if one after the other in the
 * order of these numbers. There is no second phase, as nobody has to be asked: what came while
 * others were at work is an <em>epoch</em>, and of each epoch
 *
 * <ol>
 *   <li>the shards hold the keys that were named against plain writes, make durable what was
 *       written before, and read what is to be read, all at the same time;
 *   <li>the bodies are run one after the other in the order of their numbers, each on what was read
 *       and what those before it in the epoch write;
 *   <li>what they write, of all shards, is one record of the <em>sequence log</em>, which is
 *       synced;
 *   <li>each shard writes its part as one batch, with the number of the epoch in it, and lets the
 *       keys go.
 * </ol>
 *
 * <p>So nothing of an epoch is in any shard before the whole of it is durable in one place. After a
 * crash, each shard knows by the number that its own log has kept with its part which epochs it
 * has; what it lacks is redone from the sequence log, in order. What a shard has lost, it has lost
 * from some place of its own log to the end, so what is redone comes behind all that it still has,
 * as it did the first time. If a shard cannot write its part, for want of space, say, those of the
 * epoch are not written any more until the store is opened again, and the sequence log forgets
 * nothing before. A transaction never stands on something that a crash can lose while it stays:
 * that is why shards sync before they are read, which costs nothing where all writes are synced. An
 * epoch that writes to one shard alone needs no sequence log: its batch is as atomic there as any.
 *
 * <p>What this is not: plain gets and scans look at one shard after the other and may see a batch
 * over several shards in one of them and not yet in the next; who must not, reads in a transaction.
 * Plain writes that are not synced may be lost in one shard and not in another.
 *
 * <p>Source of the idea: A. Thomson et al., "Calvin: Fast Distributed Transactions for Partitioned
 * Database Systems", SIGMOD 2012; of ours all is in one process, so that results can be logged in
 * the place of inputs, and bodies need not be known when the store is opened again.
 *
 * <p>Threads: a sharded store is for any thread, but the thread of a reactor itself only reads;
 * calls, batches and scans are for one at a time. No argument may be null; {@code get} returns null
 * for a key without a value.
 *
 * {@snippet :
 * ShardedOptions options = ShardedOptions.defaults().withCount(2);
 * try (ShardedStore store = ShardedStore.open(directory, options)) {
 *   store.put(key, value, Durability.SYNCED);
 *   byte[] found = store.get(key);
 * }
 * }
 */
package io.ewok.gds.lsm.shard;
