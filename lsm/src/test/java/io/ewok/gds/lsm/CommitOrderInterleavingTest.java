package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/**
 * Every order in which the accesses of writers can follow each other. A writer does one access at a
 * time: he runs anew from his beginning, is told what his accesses before have returned, does one
 * more, and is stopped.
 */
class CommitOrderInterleavingTest {
  private static final int STEP = 8;
  private static final long FIRST = 64;
  private static final int SLOTS = 2;

  /** Stops a writer before an access that is not his next one. */
  private static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1;

    Stop() {
      super(null, null, false, false);
    }
  }

  /** The state of a run: what is shared, and what each writer has seen. */
  private record State(long visible, List<Long> starts, List<Long> ends, List<List<Long>> seen) {}

  /** The real one, on memory that can be set, with one access at a time. */
  private static class Stepped extends CommitOrder {
    long position;
    final long[] slotStarts = new long[SLOTS];
    final long[] slotEnds = new long[SLOTS];
    private List<Long> seen;
    private int at;
    private boolean moved;

    Stepped() {
      super(FIRST, SLOTS);
    }

    void begin(List<Long> writerHasSeen) {
      seen = writerHasSeen;
      at = 0;
      moved = false;
    }

    private long access(LongSupplier what) {
      if (at < seen.size()) {
        return seen.get(at++);
      }
      if (moved) {
        throw new Stop();
      }
      moved = true;
      long result = what.getAsLong();
      seen.add(result);
      at++;
      return result;
    }

    private void change(Runnable what) {
      long unused =
          access(
              () -> {
                what.run();
                return 0;
              });
    }

    @Override
    long visible() {
      return access(() -> position);
    }

    @Override
    void setVisible(long to) {
      change(() -> position = to);
    }

    @Override
    long start(int slot) {
      return access(() -> slotStarts[slot]);
    }

    @Override
    void setStart(int slot, long to) {
      change(() -> slotStarts[slot] = to);
    }

    @Override
    boolean changeStart(int slot, long from, long to) {
      return access(
              () -> {
                boolean same = slotStarts[slot] == from;
                slotStarts[slot] = same ? to : slotStarts[slot];
                return same ? 1 : 0;
              })
          == 1;
    }

    @Override
    long end(int slot) {
      return access(() -> slotEnds[slot]);
    }

    @Override
    void setEnd(int slot, long to) {
      change(() -> slotEnds[slot] = to);
    }
  }

  /** As it would be if nobody who leaves a mark looked again. */
  private static final class Forgetful extends Stepped {
    private boolean looked;

    @Override
    void begin(List<Long> writerHasSeen) {
      looked = false;
      super.begin(writerHasSeen);
    }

    @Override
    long visible() {
      if (looked) {
        return -1;
      }
      looked = true;
      return super.visible();
    }
  }

  private final Set<State> known = new HashSet<>();
  private int ends;

  /** Lets each writer who is not done go on by one access, from a state and all that follow. */
  private void explore(Stepped order, State state) {
    if (!known.add(state)) {
      return;
    }
    assertTrue(state.visible() >= FIRST);
    boolean anybody = false;
    for (int writer = 0; writer < state.seen().size(); writer++) {
      order.position = state.visible();
      for (int slot = 0; slot < SLOTS; slot++) {
        order.slotStarts[slot] = state.starts().get(slot);
        order.slotEnds[slot] = state.ends().get(slot);
      }
      List<Long> seen = new ArrayList<>(state.seen().get(writer));
      order.begin(seen);
      long start = FIRST + (long) writer * STEP;
      boolean refused = false;
      try {
        refused = !order.tryPublish(start, start + STEP);
      } catch (Stop stopped) {
        // has more to do
      }
      if (seen.size() == state.seen().get(writer).size()) {
        continue; // was done before
      }
      anybody = true;
      assertTrue(order.position >= state.visible(), "the end goes back");
      if (refused) {
        seen.clear(); // tries again from the beginning
      }
      List<List<Long>> next = new ArrayList<>(state.seen());
      next.set(writer, seen);
      explore(
          order,
          new State(
              order.position,
              Arrays.stream(order.slotStarts).boxed().toList(),
              Arrays.stream(order.slotEnds).boxed().toList(),
              next));
    }
    if (!anybody) {
      ends++;
      assertEquals(FIRST + (long) state.seen().size() * STEP, state.visible(), "all are done");
    } else {
      assertTrue(isCovered(state), "visible before it was begun");
    }
  }

  /** Nobody is visible who has not even begun. */
  private static boolean isCovered(State state) {
    for (int writer = 0; writer < state.seen().size(); writer++) {
      if (state.visible() >= FIRST + (long) (writer + 1) * STEP
          && state.seen().get(writer).isEmpty()) {
        return false;
      }
    }
    return true;
  }

  private void exploreAll(Stepped order, int writers) {
    List<List<Long>> seen = new ArrayList<>();
    for (int i = 0; i < writers; i++) {
      seen.add(List.of());
    }
    explore(order, new State(FIRST, List.of(0L, 0L), List.of(0L, 0L), seen));
  }

  @Test
  void everythingIsVisibleInTheEndOfEachRunOfThreeWriters() {
    exploreAll(new Stepped(), 3);
    assertTrue(ends > 0 && known.size() > 1_000, "states: " + known.size());
  }

  @Test
  void aWriterWhoDoesNotLookAgainIsFoundOut() {
    assertThrows(AssertionError.class, () -> exploreAll(new Forgetful(), 2));
  }
}
