package io.ewok.gds.reactor;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** Runs a function on a fiber and tells a future. */
final class FutureTask<T> extends Task {
  final CompletableFuture<T> future = new CompletableFuture<>();
  private final Callable<T> function;

  FutureTask(Callable<T> function) {
    super(Kind.FIBER, Scratch.NONE);
    this.function = function;
  }

  @Override
  protected void run() throws Exception {
    future.complete(function.call());
  }

  @Override
  void ended(Throwable thrown) {
    if (thrown != null) {
      future.completeExceptionally(thrown);
    }
  }
}
