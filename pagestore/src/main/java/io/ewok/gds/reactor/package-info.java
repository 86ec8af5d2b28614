/**
 * Waiting for the kernel without blocking threads: a ring driven from Java and the thread that owns
 * it.
 *
 * <p>Not here: files, and what bytes mean; see {@code io.ewok.gds.pagestore}.
 *
 * <p>Nouns: a <em>baton</em> is the one wait of this project, posted once by whoever ends it; a
 * <em>monitor</em> is a lock with lines of those who wait for a change, each on a baton. A
 * <em>ring</em> is one io_uring with its mapped queues. A <em>reactor</em> is the platform thread
 * that owns a ring; <em>ring operations</em> reach it from any thread, and <em>timers</em> fire on
 * it. A <em>turn</em> of its loop does what there is to do, or sleeps; a <em>slice</em> is what
 * somebody's code does within it. A <em>group</em> is several reactors that are started together,
 * anywhere or each on CPUs or a NUMA node of its own.
 *
 * <p>A <em>task</em> is what a reactor is sent to run: DIRECT on its thread, to the end, or on a
 * <em>fiber</em>, a pooled virtual thread, where it may wait. A reactor with its tasks is a
 * <em>shard</em>: shards share nothing and send each other tasks, which come back as messages with
 * their results. The tasks of one reactor exclude each other between waits, so what belongs to a
 * shard needs no lock. Where the JVM is started with {@code --add-opens
 * java.base/java.lang=io.ewok.gds.pagestore}, reactors run their fibers themselves; elsewhere
 * fibers are ordinary virtual threads that take turns, which is slow, and one that waits for
 * something else than a baton while others want to run loses its turn. {@code Reactor.runsFibers}
 * and {@code ReactorStats.lostTurnCount} tell.
 *
 * <p>A <em>connection</em> sends and receives through the ring, between the kernel and a region's
 * memory; a <em>listener</em> accepts connections; a <em>poll</em> waits for a descriptor of
 * somebody else. Each can be waited for, on fibers and on threads of any kind, or calls back.
 *
 * <p>Threads: each class says which; a ring has one. Null is never accepted and never returned; a
 * callback is told null where there is no failure.
 *
 * <pre>{@code
 * Baton baton = new Baton();
 * executor.execute(() -> { work(); baton.post(); });
 * baton.await();
 * }</pre>
 */
package io.ewok.gds.reactor;
