package io.ewok.gds.wal.cache;

import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.reactor.Monitor;

/**
 * The reads ahead that are under way, of all readers of a cache: at most so many. Each has a place,
 * which is free again when the read has ended, whether or not its reader has come back.
 *
 * <p>Threads: any.
 */
final class ReadAheads {
  /** No place. */
  static final int NONE = -1;

  private final Monitor lock = new Monitor();

  // Guarded by the lock.
  /** What was begun there last, or null if its reader knows that it has ended. */
  private final IoRequest[] places;

  /** Where to look first. */
  private int next;

  ReadAheads(int max) {
    places = new IoRequest[max];
  }

  /**
   * Takes a place for a read.
   *
   * @param read prepared, and not yet submitted: so nobody takes it for one that has ended
   * @return the place, for {@link #leave}; {@link #NONE} if there is none
   */
  int enter(IoRequest read) {
    lock.lock();
    try {
      for (int i = 0; i < places.length; i++) {
        int place = next;
        next = next + 1 == places.length ? 0 : next + 1;
        if (places[place] == null || places[place].isDone()) {
          places[place] = read;
          return place;
        }
      }
      return NONE;
    } finally {
      lock.unlock();
    }
  }

  /** Gives a place up, if the read still has it. Before the request is prepared again. */
  void leave(int place, IoRequest read) {
    lock.lock();
    try {
      if (places[place] == read) {
        places[place] = null;
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many are under way. */
  int count() {
    lock.lock();
    try {
      int count = 0;
      for (IoRequest read : places) {
        count += read != null && !read.isDone() ? 1 : 0;
      }
      return count;
    } finally {
      lock.unlock();
    }
  }
}
