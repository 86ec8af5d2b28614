package io.ewok.gds.lsm;

import io.ewok.gds.buffers.NotCachedException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Gets of several keys at once. Those whose blocks are in the pool come first, on the caller's
 * thread. For the others virtual threads start to read, so that the device has many reads at the
 * same time, while the caller goes from one to the next and finds most of them read.
 *
 * <p>Threads: confined to one.
 */
final class MultiGet {
  /** How many keys are read ahead of the one that the caller is at. */
  private static final int AHEAD_MAX = 64;

  private final ReadContexts contexts;
  private final FamilyState family;
  private final List<MemorySegment> keys;
  private final long sequence;
  private final int[] missed;
  private int missedCount;
  private int started;

  MultiGet(ReadContexts contexts, FamilyState family, List<MemorySegment> keys, long sequence) {
    this.contexts = contexts;
    this.family = family;
    this.keys = keys;
    this.sequence = sequence;
    this.missed = new int[keys.size()];
  }

  /** Gets all of them with a context that is the caller's. */
  void run(ReadContext context, MultiGetConsumer consumer) throws IOException {
    for (int i = 0; i < keys.size(); i++) {
      try {
        context.key.set(keys.get(i));
        give(context.findCached(sequence), context, i, consumer);
      } catch (NotCachedException e) {
        missed[missedCount++] = i;
      }
    }
    for (int i = 0; i < missedCount; i++) {
      readAhead(i);
      context.key.set(keys.get(missed[i]));
      give(context.find(sequence), context, missed[i], consumer);
    }
  }

  private static void give(
      boolean found, ReadContext context, int number, MultiGetConsumer consumer) {
    try {
      consumer.accept(number, found ? context.value() : null);
    } finally {
      context.letGo();
    }
  }

  /** Starts reads for those after one that the caller reads itself. */
  private void readAhead(int at) {
    started = Math.max(started, at + 1);
    int end = Math.min(missedCount, at + AHEAD_MAX);
    for (; started < end; started++) {
      MemorySegment key = keys.get(missed[started]);
      ReadContext other = contexts.take();
      boolean running = false;
      try {
        other.key.set(key);
        Thread.ofVirtual().name("gds-store-read").start(() -> read(other));
        running = true;
      } finally {
        if (!running) {
          contexts.give(other);
        }
      }
    }
  }

  private void read(ReadContext context) {
    try {
      context.begin(family, 0); // what it finds is nobody's
      boolean unused = context.find(sequence);
    } catch (IOException | RuntimeException e) {
      // Not lost: the caller comes to this key, too, and meets the same failure.
    } finally {
      context.letGo();
      contexts.give(context);
    }
  }
}
