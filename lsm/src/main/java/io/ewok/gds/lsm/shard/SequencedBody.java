package io.ewok.gds.lsm.shard;

/**
 * What a transaction does with the keys that it has named.
 *
 * <p>It is run by the sequencer, on the owner of the first shard, while others wait: it should be
 * short, and calls the store by its view alone. It may be run more than once before it counts, so
 * what it does depends on nothing but what it reads and on {@link SequencedView#number}, and has no
 * other effect.
 *
 * @param <T> its result
 */
@FunctionalInterface
public interface SequencedBody<T> {
  /**
   * Runs the transaction.
   *
   * @return the result, for who wanted the transaction; may be null
   * @throws Exception that the transaction is to end with, without having written anything
   */
  T run(SequencedView view) throws Exception;
}
