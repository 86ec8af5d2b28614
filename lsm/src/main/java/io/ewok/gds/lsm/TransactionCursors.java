package io.ewok.gds.lsm;

import java.util.ArrayList;
import java.util.List;

/**
 * The open cursors of a transaction or an {@link IndexedBatch}, which end before what they show
 * goes.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class TransactionCursors {
  /** When so many cursors are known, those that were closed are forgotten. */
  private static final int KEPT = 16;

  private final List<Open> all = new ArrayList<>();
  private int kept = KEPT;

  /** A cursor, and what it is shown besides the store. */
  private record Open(StoreCursor cursor, CursorOverlay overlay) {
    void end(String reason) {
      cursor.transactionEnds(reason);
      endTrack();
    }

    void endTrack() {
      if (overlay.trackOrNull() != null) {
        overlay.trackOrNull().end();
      }
    }
  }

  void add(StoreCursor cursor, CursorOverlay overlay) {
    if (all.size() >= kept) {
      all.stream().filter(open -> open.cursor().isEnded()).forEach(Open::endTrack);
      forgetEnded();
      kept = Math.max(KEPT, 2 * all.size());
    }
    all.add(new Open(cursor, overlay));
  }

  private void forgetEnded() {
    all.removeIf(open -> open.cursor().isEnded());
  }

  /** Ends those that may have seen more than so many writes. */
  void endBehind(int writes) {
    for (Open open : all) {
      if (open.overlay().writesSeen() > writes) {
        open.end("the transaction has taken back what the cursor shows");
      }
    }
    forgetEnded();
  }

  /** Ends all, and has what they have looked at noted. */
  void endAll(String reason) {
    all.forEach(open -> open.end(reason));
    all.clear();
  }
}
