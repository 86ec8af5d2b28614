/**
 * JMH suites, one question a class, the rivals as sibling methods.
 *
 * <p>{@code ./gds bench micro} runs all of them, {@code ./gds bench micro PageRead -prof gc} those
 * whose name matches; every JMH option is understood. A result is a ratio between siblings of one
 * run, never an absolute time: machines are noisy. A smoke size of each runs in the tests. {@code
 * ./gds bench micro --quick} has those that have rivals beside them, in turn.
 *
 * <p>{@code ./gds bench alloc} runs those of the allocators in rounds, ours and the rivals in turn,
 * and adds what each takes of memory. {@code ./gds bench io} runs the page store's ways of doing
 * I/O and fio in turn on one file. {@code ./gds bench feeds} has TCP feeds read by fibers of a
 * reactor and by a selector loop, in turn.
 */
package io.ewok.gds.bench;
