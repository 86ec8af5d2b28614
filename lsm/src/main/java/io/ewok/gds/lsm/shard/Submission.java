package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.reactor.Baton;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/**
 * A transaction that waits for its turn, or has had it.
 *
 * <p>Threads: one submits it, the sequencer ends it, and who submitted it sees that.
 */
final class Submission {
  final TransactionKeys keys;
  final SequencedBody<?> body;
  final Durability durability;
  private final CompletableFuture<Object> futureOrNull;
  private final Baton ended = new Baton();

  // Of the sequencer, until it has ended.
  Object result;
  Throwable failure;

  Submission(
      TransactionKeys keys,
      SequencedBody<?> body,
      Durability durability,
      CompletableFuture<Object> futureOrNull) {
    this.keys = keys;
    this.body = body;
    this.durability = durability;
    this.futureOrNull = futureOrNull;
  }

  /** It has had its turn, or gets none. */
  void end(Throwable failureOrNull) {
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
  Object await() throws IOException {
    ended.await();
    if (failure != null) {
      Failures.rethrow(failure);
    }
    return result;
  }
}
