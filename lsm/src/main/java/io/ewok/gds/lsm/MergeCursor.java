package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Several sources as one: of each key the newest record, and keys whose newest record is a delete
 * left out. Cursors and merges both stand on it.
 *
 * <p>Sources that are on the current key are <em>tied</em>. Going on in the same direction moves
 * these alone: all others are beyond the current key already. Turning round moves all of them once:
 * a source that is beyond the current key on one side, and does not have it, has its next neighbour
 * beyond it on the other. So no key is ever copied, and both directions cost the same.
 *
 * <p>Ownership: closes its sources. Threads: confined to one at a time. After an exception it is
 * not valid until it is positioned anew.
 */
final class MergeCursor {
  private final RecordSource[] sources;
  private final boolean[] tied;
  private boolean forward;

  /** The tied source with the newest record, or -1. */
  private int winner = -1;

  MergeCursor(RecordSource[] sources) {
    this.sources = sources;
    this.tied = new boolean[sources.length];
  }

  void first() throws IOException {
    winner = -1;
    for (RecordSource source : sources) {
      source.first();
    }
    forward = true;
    settle();
  }

  void last() throws IOException {
    winner = -1;
    for (RecordSource source : sources) {
      source.last();
    }
    forward = false;
    settle();
  }

  void seek(MemorySegment key) throws IOException {
    winner = -1;
    for (RecordSource source : sources) {
      source.seek(key);
    }
    forward = true;
    settle();
  }

  void seekForPrev(MemorySegment key) throws IOException {
    winner = -1;
    for (RecordSource source : sources) {
      source.seekForPrev(key);
    }
    forward = false;
    settle();
  }

  /** Moves on; the cursor must be valid. */
  void next() throws IOException {
    step(true);
    settle();
  }

  /** Moves back; the cursor must be valid. */
  void previous() throws IOException {
    step(false);
    settle();
  }

  private void step(boolean goForward) throws IOException {
    boolean turn = goForward != forward;
    winner = -1;
    forward = goForward;
    for (int i = 0; i < sources.length; i++) {
      if (turn || tied[i]) {
        if (goForward) {
          sources[i].next();
        } else {
          sources[i].previous();
        }
      }
    }
  }

  /** Finds the current key, and passes by those that are deleted. */
  private void settle() throws IOException {
    int best = choose();
    while (best >= 0 && RecordKind.kind(sources[best].stamp()) == RecordKind.DELETE) {
      step(forward);
      best = choose();
    }
    winner = best;
  }

  /** Ties the sources with the nearest key. Returns the one with its newest record, or -1. */
  private int choose() {
    int best = -1;
    for (int i = 0; i < sources.length; i++) {
      tied[i] = false;
      if (!sources[i].isValid()) {
        continue;
      }
      int order = best < 0 ? -1 : compareKeys(sources[i], sources[best]);
      if (order == 0) {
        tied[i] = true;
        if (RecordKind.compareStamps(sources[i].stamp(), sources[best].stamp()) < 0) {
          best = i;
        }
      } else if (best < 0 || (order < 0) == forward) {
        for (int j = 0; j < i; j++) {
          tied[j] = false;
        }
        tied[i] = true;
        best = i;
      }
    }
    return best;
  }

  private static int compareKeys(RecordSource a, RecordSource b) {
    return Memory.compareUnsigned(a.keyAddress(), a.keyBytes(), b.keyAddress(), b.keyBytes());
  }

  boolean isValid() {
    return winner >= 0;
  }

  /** Makes the cursor not valid until it is positioned anew. */
  void invalidate() {
    winner = -1;
  }

  /** The source that holds the current record; the cursor must be valid. */
  RecordSource current() {
    return sources[winner];
  }

  int sourceCount() {
    return sources.length;
  }

  RecordSource source(int i) {
    return sources[i];
  }

  /** Puts a source with the same records, at the same position, in the place of another. */
  void replaceSource(int i, RecordSource replacement) {
    sources[i].close();
    sources[i] = replacement;
  }

  void close() {
    winner = -1;
    for (RecordSource source : sources) {
      source.close();
    }
  }
}
