package io.ewok.gds.wal;

import io.ewok.gds.reactor.Baton;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Two threads at one {@link Reservation}. A lost wake-up shows as a time-out. */
public final class ReservationRaces {
  private static final int HEADER = 64;
  private static final int BYTES = 16;

  private ReservationRaces() {}

  private static Reservation opened() {
    Reservation reservation = new Reservation(HEADER);
    boolean unused = reservation.filled(reservation.open(4096, BYTES), BYTES);
    return reservation;
  }

  /** What was reserved before the block was sealed is there when it is settled, and no more. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class FillOrSeal {
    private final Reservation reservation = opened();
    private final Baton filled = new Baton();
    private int content; // plain, published by the reservation

    @Actor
    public void append(II_Result result) {
      long place = reservation.reserve(BYTES);
      if (place != Reservation.REFUSED) {
        content = 1;
        result.r1 = 1;
        if (reservation.filled(place, BYTES)) {
          filled.post();
        }
      }
    }

    @Actor
    public void write(II_Result result) {
      long end = reservation.seal();
      if (!reservation.settle(end)) {
        filled.await();
      }
      result.r2 = content;
    }
  }

  /** Two who append get places of their own, one behind the other. */
  @JCStressTest
  @Outcome(
      id = {"80, 96", "96, 80"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoReserve {
    private final Reservation reservation = opened();

    @Actor
    public void first(II_Result result) {
      result.r1 = Reservation.offset(reservation.reserve(BYTES));
    }

    @Actor
    public void second(II_Result result) {
      result.r2 = Reservation.offset(reservation.reserve(BYTES));
    }
  }
}
