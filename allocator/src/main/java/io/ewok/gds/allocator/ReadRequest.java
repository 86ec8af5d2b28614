package io.ewok.gds.allocator;

import java.util.function.LongConsumer;

/**
 * A request for pages that waits for room in a {@link ReadArena}, as {@link
 * ReadArena#whenAvailable} returns it. It is granted or canceled, once, and never both.
 *
 * <p>Ownership: once granted, the pages belong to whoever made the request, who releases them.
 *
 * <p>Threads: any.
 */
public final class ReadRequest extends MemoryRequest {
  private final ReadSupply supply;
  private final int size;
  private final int pages;
  private final long arrival;
  private final LongConsumer granted;

  /** Written under the lock of the supply, before the state. */
  private long handle = ReadArena.NONE;

  /**
   * @param arrival position among all requests of the arena
   * @param granted called when granted, or null if {@code waiter} waits
   */
  ReadRequest(
      ReadSupply supply, int size, int pages, long arrival, LongConsumer granted, Thread waiter) {
    super(waiter);
    this.arrival = arrival;
    this.supply = supply;
    this.size = size;
    this.pages = pages;
    this.granted = granted;
  }

  @Override
  boolean end(State end) {
    return supply.end(this, end);
  }

  @Override
  String place() {
    return supply.name();
  }

  @Override
  long bytes() {
    return (long) pages * ReadBlocks.pageBytes(size);
  }

  int size() {
    return size;
  }

  int pages() {
    return pages;
  }

  long arrival() {
    return arrival;
  }

  /** Called under the lock of the supply. */
  void grant(long handle) {
    this.handle = handle;
    moveTo(State.GRANTED);
  }

  /** Calls back, if there is a callback: with the handle, or with NONE if the arena was closed. */
  void callBack() {
    granted.accept(handle);
  }

  /** Returns whether {@link #callBack} is to be called now that the request has ended. */
  boolean hasCallback() {
    return granted != null && (isGranted() || isClosed());
  }

  /** Returns what was granted, or NONE. */
  long handle() {
    return isWaiting() ? ReadArena.NONE : handle;
  }
}
