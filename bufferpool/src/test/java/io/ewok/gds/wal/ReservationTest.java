package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Every order in which appenders and a writer can meet. Each step of an actor is one access to what
 * they share, so the orders of steps are all the runs there are.
 */
final class ReservationTest {
  private static final int HEADER = 64;
  private static final int CAPACITY = 64 + 3 * 16;
  private static final int BYTES = 16;

  /** One run: the real reservation, the bytes of two blocks, and where everybody is. */
  private static final class Run {
    final Reservation reservation = new Reservation(HEADER);
    final boolean[][] full = new boolean[2][CAPACITY];
    final List<Actor> actors = new ArrayList<>();
    final List<Integer> order = new ArrayList<>();
    boolean told;
  }

  /** Does one step at a time. */
  private interface Actor {
    /** Whether it has ended. */
    boolean isDone();

    /** Whether it waits for another. */
    boolean isBlocked();

    void step();
  }

  /** Appends records: reserves, or has the writer open a block; fills; says so. */
  private static final class Appender implements Actor {
    private final Run run;
    private int left;
    private long place = Reservation.REFUSED;
    private boolean copied;

    Appender(Run run, int records) {
      this.run = run;
      this.left = records;
    }

    @Override
    public boolean isDone() {
      return left == 0;
    }

    @Override
    public boolean isBlocked() {
      return false;
    }

    @Override
    public void step() {
      if (place == Reservation.REFUSED) {
        place = run.reservation.reserve(BYTES);
        left -= place == Reservation.REFUSED ? 1 : 0; // full or sealed: gives up
      } else if (!copied) {
        boolean[] block = run.full[Reservation.block(place)];
        for (int i = 0; i < BYTES; i++) {
          assertFalse(block[Reservation.offset(place) + i], "filled twice");
          block[Reservation.offset(place) + i] = true;
        }
        copied = true;
      } else {
        if (run.reservation.filled(place, BYTES)) {
          assertFalse(run.told, "told twice");
          run.told = true;
        }
        place = Reservation.REFUSED;
        copied = false;
        left--;
      }
    }
  }

  /** Seals, settles, waits, writes, opens the other block; several times. */
  private static final class Writer implements Actor {
    private enum Next {
      SEAL,
      SETTLE,
      WAIT,
      WRITE,
      OPEN
    }

    private final Run run;
    private int blocks;
    private Next next = Next.SEAL;
    private long end;

    Writer(Run run, int blocks) {
      this.run = run;
      this.blocks = blocks;
    }

    @Override
    public boolean isDone() {
      return blocks == 0;
    }

    @Override
    public boolean isBlocked() {
      return next == Next.WAIT && !run.told;
    }

    @Override
    public void step() {
      switch (next) {
        case SEAL -> {
          end = run.reservation.seal();
          next = Next.SETTLE;
        }
        case SETTLE -> next = run.reservation.settle(end) ? Next.WRITE : Next.WAIT;
        case WAIT -> {
          run.told = false;
          next = Next.WRITE;
        }
        case WRITE -> {
          assertFalse(run.told, "told of what it did not wait for");
          boolean[] block = run.full[Reservation.block(end)];
          for (int i = HEADER; i < CAPACITY; i++) {
            assertEquals(i < Reservation.offset(end), block[i], "offset=" + i);
          }
          Arrays.fill(block, false);
          next = Next.OPEN;
        }
        case OPEN -> {
          blocks--;
          next = Next.SEAL;
          if (blocks > 0) {
            fillFirst(run);
          }
        }
      }
    }
  }

  /** Opens a block for a record, which is filled at once. */
  private static void fillFirst(Run run) {
    long place = run.reservation.open(CAPACITY, BYTES);
    assertEquals(HEADER, Reservation.offset(place));
    Arrays.fill(run.full[Reservation.block(place)], HEADER, HEADER + BYTES, true);
    assertFalse(run.reservation.filled(place, BYTES));
  }

  private static Run start(int[] records, int blocks) {
    Run run = new Run();
    fillFirst(run);
    for (int count : records) {
      run.actors.add(new Appender(run, count));
    }
    run.actors.add(new Writer(run, blocks));
    return run;
  }

  /**
   * Walks all orders: each run follows a prefix, then the first who can; then the last choice
   * changes.
   */
  private static int explore(int[] records, int blocks) {
    List<Integer> prefix = new ArrayList<>();
    int runs = 0;
    while (true) {
      Run run = start(records, blocks);
      List<Integer> widths = new ArrayList<>();
      for (int step = 0; ; step++) {
        List<Actor> able = new ArrayList<>();
        boolean ended = true;
        for (Actor actor : run.actors) {
          ended &= actor.isDone();
          if (!actor.isDone() && !actor.isBlocked()) {
            able.add(actor);
          }
        }
        if (ended) {
          break;
        }
        assertFalse(able.isEmpty(), () -> "all wait: order=" + run.order);
        int choice = step < prefix.size() ? prefix.get(step) : 0;
        run.order.add(choice);
        widths.add(able.size());
        try {
          able.get(choice).step();
        } catch (AssertionError e) {
          throw new AssertionError("order=" + run.order, e);
        }
      }
      runs++;
      assertFalse(run.told, "told of what nobody waited for");
      int last = widths.size() - 1;
      while (last >= 0 && run.order.get(last) + 1 == widths.get(last)) {
        last--;
      }
      if (last < 0) {
        return runs;
      }
      prefix = new ArrayList<>(run.order.subList(0, last + 1));
      prefix.set(last, prefix.get(last) + 1);
    }
  }

  @Test
  void whatIsWrittenIsFullAndNobodyWaitsForEverInAnyOrder() {
    assertRuns(300, explore(new int[] {1, 1}, 1));
    assertRuns(1000, explore(new int[] {1, 1, 1}, 1));
    assertRuns(1000, explore(new int[] {2, 1}, 1));
    assertRuns(800, explore(new int[] {1, 1}, 2));
    assertRuns(100, explore(new int[] {2}, 3));
  }

  /** So many at least, or the orders were not all tried. */
  private static void assertRuns(int least, int runs) {
    assertTrue(runs >= least, () -> "runs=" + runs);
  }

  @Test
  void placesFollowEachOtherAndEndWithTheBlock() {
    Reservation reservation = new Reservation(HEADER);
    assertEquals(Reservation.REFUSED, reservation.reserve(16));
    assertFalse(reservation.fits(16));
    long first = reservation.open(CAPACITY, 16);
    assertEquals(HEADER, Reservation.offset(first));
    assertTrue(reservation.fits(32));
    assertFalse(reservation.fits(33));
    assertEquals(Reservation.REFUSED, reservation.reserve(33));
    assertEquals(HEADER + 16, Reservation.offset(reservation.reserve(32)));
    assertEquals(Reservation.REFUSED, reservation.reserve(1));
    long end = reservation.seal();
    assertEquals(CAPACITY, Reservation.offset(end));
    assertEquals(Reservation.block(first), Reservation.block(end));
    assertFalse(Reservation.isOpen(reservation.tail()));
    assertFalse(reservation.settle(end));
    assertFalse(reservation.filled(first, 16));
    assertTrue(reservation.filled(first, 32));
    assertEquals(1 - Reservation.block(first), Reservation.block(reservation.open(CAPACITY, 1)));
  }
}
