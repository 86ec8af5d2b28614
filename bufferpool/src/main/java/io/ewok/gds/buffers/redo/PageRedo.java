package io.ewok.gds.buffers.redo;

import java.lang.foreign.MemorySegment;

/**
 * What the caller's operations do to a page. The same code runs when an operation is done and when
 * it is redone after a crash, so what it does may depend on nothing but the page and the arguments:
 * no clock, no other page, no settings. Where assertions are on, each commit tries it.
 *
 * <p>Threads: several at a time, on different pages.
 */
@FunctionalInterface
public interface PageRedo {
  /** For callers who need none but {@link ChangedPage#write}. */
  PageRedo NONE =
      (code, _, _) -> {
        throw new IllegalArgumentException("there is no such operation: code=" + code);
      };

  /**
   * Does one operation.
   *
   * @param code which, as in {@link ChangedPage#apply}
   * @param page the whole page, header included; of the header, lower, upper, special, prune_xid
   *     and flags are the operation's to keep, and a log position that it sets is overwritten
   * @param arguments as given to {@link ChangedPage#apply}, read-only
   * @throws RuntimeException if it cannot be done to this page. Then the change can only be rolled
   *     back; in redo the page is reported as corrupt
   */
  void apply(int code, MemorySegment page, MemorySegment arguments);
}
