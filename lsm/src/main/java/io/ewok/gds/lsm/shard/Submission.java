package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.reactor.Baton;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/**
 * A transaction that waits for its turn, or has had it.
 *
 * <p>Threads: one submits it, the sequencer ends it, and who submitted it sees that.
 *
 * @param <T> its result
 */
final class Submission<T> {
  final TransactionKeys keys;
  final SequencedBody<T> body;
  final Durability durability;
  private final CompletableFuture<T> futureOrNull;
  private final Baton ended = new Baton();

  // Of the sequencer, until it has ended.
  T result;
  Throwable failure;
  private boolean hasEnded;

  Submission(
      TransactionKeys keys,
      SequencedBody<T> body,
      Durability durability,
      CompletableFuture<T> futureOrNull) {
    this.keys = keys;
    this.body = body;
    this.durability = durability;
    this.futureOrNull = futureOrNull;
  }

  /** It has had its turn, or gets none. The first end counts. */
  void end(Throwable failureOrNull) {
    if (hasEnded) {
      return;
    }
    hasEnded = true;
    failure = failureOrNull;
    ended.post();
    if (futureOrNull != null) {
      if (failureOrNull == null) {
        futureOrNull.complete(result);
      } else {
        futureOrNull.completeExceptionally(failureOrNull);
      }
    }
  }

  /** Waits for the end. Not cancelled: whether it counts is not known before. */
  T await() throws IOException {
    ended.await();
    if (failure != null) {
      Failures.rethrow(failure);
    }
    return result;
  }
}
