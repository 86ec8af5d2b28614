/**
 * A write-ahead log: records go in at one end, come back in order after a crash, and are forgotten
 * when their owner says so. It knows nothing of pages and is usable alone.
 *
 * <p>Its nouns: a <em>position</em> (LSN) is a byte offset in an endless stream. The stream lies in
 * a ring of <em>segments</em>, preallocated files of one size. It is a sequence of <em>blocks</em>,
 * each written at once and never again; a block holds the <em>records</em> of one commit group. The
 * <em>horizon</em> is the position before which the owner needs nothing. The <em>incarnation</em>
 * counts recoveries: it is part of every checksum, so that neither the content of a recycled
 * segment nor records cut off by an earlier recovery can come back.
 *
 * <p>What recovery promises: every record covered by a {@code sync} that returned is replayed, in
 * order; of those after it some prefix is. If such a record cannot be read, {@code open} fails with
 * a corruption error instead of losing it in silence, unless its {@link
 * io.ewok.gds.wal.RecoveryMode} says to go on; then a {@link io.ewok.gds.wal.RecoveryReport} says
 * what was lost.
 *
 * <p>Threads: any thread, platform or virtual, may append, sync and truncate. Appends of several
 * threads copy and checksum side by side, without a lock. Whoever needs durability first writes for
 * all who arrived before; those who arrive meanwhile form the next group. There is no timer and no
 * thread of its own. No argument may be null, unless its name says so.
 *
 * <p>Who reads while it grows uses a {@link io.ewok.gds.wal.LogReader}, or builds a cache of his
 * own on a {@link io.ewok.gds.wal.LogSource}, which gives bytes by position and shows what is
 * written, and a {@link io.ewok.gds.wal.LogWalk}, which leads through such bytes from record to
 * record. By its files alone, beside a writer in another process, a {@link
 * io.ewok.gds.wal.LogFollower} reads.
 *
 * <p>On a reactor this is work for fibers. The loop goes on too while a DIRECT task waits, and one
 * that would wait for another below it on the same stack, which can go on only after it, gets an
 * {@link IllegalStateException}; nothing is appended then. None of them closes what others use.
 *
 * {@snippet :
 * try (var log = WriteAheadLog.open(engine, dir, LogOptions.defaults(), budget, (lsn, record) -> redo(record))) {
 *   long lsn = log.append(record);
 *   log.sync(lsn); // durable now
 *   log.truncate(lsn); // and no longer needed
 * }
 * }
 */
package io.ewok.gds.wal;
