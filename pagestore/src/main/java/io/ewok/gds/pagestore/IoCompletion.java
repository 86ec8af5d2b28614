package io.ewok.gds.pagestore;

/**
 * Is told that a request has ended, instead of somebody who awaits it. For many requests in flight
 * without a thread that waits for each.
 *
 * <p>Threads: called on the thread on which the request ended, which serves others too: the
 * engine's, or the submitter's where there was nothing to wait for. It must not wait for anything.
 * It may close the file if nothing else is in flight on it; not the engine. A request that it
 * submits to an engine whose queue is full fails, since nobody can wait there. Where what it
 * submits ends at once, that is told when it has returned: the calls do not nest.
 *
 * <p>Who closes a file waits for its transfers, but not for completions that are told of them; who
 * closes the engine waits for both.
 *
 * <pre>{@code
 * void completed(IoRequest request, int bytes, Exception failure) {
 *   if (more(failure)) {
 *     engine.submit(request.prepareRead(file, next(), region, frame, 4096).onComplete(this));
 *   }
 * }
 * }</pre>
 *
 * <p>Errors: what it throws goes to the thread's handler of uncaught exceptions; the engine goes
 * on.
 */
@FunctionalInterface
public interface IoCompletion {
  /**
   * The request has ended; it may be prepared and submitted again from here.
   *
   * @param bytes as {@link IoRequest#await} returns; 0 after a failure
   * @param failure as await throws, or null: the one place where null is passed
   */
  void completed(IoRequest request, int bytes, Exception failure);
}
