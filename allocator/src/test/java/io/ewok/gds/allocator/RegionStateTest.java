package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Every state of a region that a few leases, a registration, and the rest can bring it into, and in
 * each state everything that can be tried: what is allowed, what it changes, and that a refusal
 * changes nothing.
 */
class RegionStateTest {
  private static final long UNIT = Region.UNIT_BYTES;
  private static final int LEASES_MAX = 2;

  private final MemoryBudget budget = MemoryBudget.root("test", 4 * UNIT);

  private enum Action {
    LEASE,
    UNLEASE,
    REGISTER,
    UNREGISTER,
    COMMIT,
    DECOMMIT,
    TRIM,
    SEAL,
    ATTACH,
    CLOSE
  }

  /** What a region should be like. */
  private record Model(
      boolean reserved,
      int leases,
      int registrations,
      int committed,
      boolean sealed,
      boolean attached,
      boolean closed) {

    static Model fresh(boolean reserved) {
      return new Model(reserved, 0, 0, reserved ? 0 : 2, false, false, false);
    }

    /** Whether the action is allowed; commit and decommit work from the end of what is there. */
    boolean allows(Action action) {
      if (closed) {
        return action == Action.CLOSE;
      }
      return switch (action) {
        case LEASE -> committed > 0;
        case UNLEASE -> leases > 0;
        case REGISTER -> committed == 2;
        case UNREGISTER -> registrations > 0;
        case COMMIT -> reserved && !sealed && committed < 2;
        case DECOMMIT -> reserved && discards(committed) && (attached || leases == 0);
        case TRIM -> discards(committed) && (leases == 0 || (reserved && attached));
        case SEAL -> true;
        case ATTACH -> !attached && leases == 0;
        case CLOSE -> leases == 0 && registrations == 0;
      };
    }

    private boolean discards(int units) {
      return !sealed && registrations == 0 && units > 0;
    }

    Model after(Action action) {
      int gone = reserved ? 1 : 0;
      return switch (action) {
        case LEASE -> with(leases + 1, registrations, committed, sealed, attached, closed);
        case UNLEASE -> with(leases - 1, registrations, committed, sealed, attached, closed);
        case REGISTER -> with(leases, registrations + 1, committed, sealed, attached, closed);
        case UNREGISTER -> with(leases, registrations - 1, committed, sealed, attached, closed);
        case COMMIT -> with(leases, registrations, committed + 1, sealed, attached, closed);
        case DECOMMIT, TRIM ->
            with(leases, registrations, committed - gone, sealed, attached, closed);
        case SEAL -> with(leases, registrations, committed, true, attached, closed);
        case ATTACH -> with(leases, registrations, committed, sealed, true, closed);
        case CLOSE -> with(leases, registrations, committed, sealed, attached, true);
      };
    }

    private Model with(int l, int r, int c, boolean s, boolean a, boolean closed) {
      return new Model(reserved, l, r, c, s, a, closed);
    }
  }

  /** Does it; the range is the last unit that is committed, of COMMIT the first that is not. */
  private static void perform(Action action, Region region, Model model) {
    long last = Math.max(0, model.committed - 1) * UNIT;
    switch (action) {
      case LEASE -> region.lease(0, UNIT);
      case UNLEASE -> region.unlease(0, UNIT);
      case REGISTER -> region.addRegistration();
      case UNREGISTER -> region.removeRegistration();
      case COMMIT -> assertTrue(region.commit(Math.min(UNIT, model.committed * UNIT), UNIT));
      case DECOMMIT -> region.decommit(last, UNIT);
      case TRIM -> region.trim(last, UNIT);
      case SEAL -> region.seal();
      case ATTACH -> region.attach(new Ignoring());
      case CLOSE -> region.close();
    }
  }

  private static final class Ignoring implements FrameLeases {
    @Override
    public void leased(long offset, long bytes) {}

    @Override
    public void unleased(long offset, long bytes) {}
  }

  @Test
  void everyTransitionIsAllowedOrRefusedAsTheModelSays() {
    for (boolean reserved : List.of(false, true)) {
      // By each state that can be reached, a shortest way to it.
      Map<Model, List<Action>> ways = new HashMap<>();
      Queue<Model> open = new ArrayDeque<>(List.of(Model.fresh(reserved)));
      ways.put(Model.fresh(reserved), List.of());
      Set<Action> refused = EnumSet.noneOf(Action.class);
      while (!open.isEmpty()) {
        Model model = open.remove();
        for (Action action : Action.values()) {
          if (check(ways.get(model), model, action)) {
            Model next = model.after(action);
            boolean small = next.leases <= LEASES_MAX && next.registrations <= 1;
            if (small && !ways.containsKey(next)) {
              List<Action> way = new ArrayList<>(ways.get(model));
              way.add(action);
              ways.put(next, way);
              open.add(next);
            }
          } else {
            refused.add(action);
          }
        }
      }
      // Mapped and open: 3 counts of leases, times registered, sealed, attached or not. Reserved
      // and
      // open: as many with all committed; 3 with one unit; with none 3 if attached, else 1; all of
      // these sealed or not. Closed: by units, sealed, attached.
      assertEquals(reserved ? 24 + 12 + 8 + 12 : 24 + 4, ways.size());
      assertEquals(EnumSet.allOf(Action.class), refused);
    }
  }

  /** Tries an action in a state. Returns whether it is allowed. */
  private boolean check(List<Action> way, Model model, Action action) {
    RegionOptions options = RegionOptions.ofSize(2 * UNIT);
    Region region = model.reserved ? Region.reserve(budget, options) : Region.map(budget, options);
    String where = way + " then " + action;
    Model at = Model.fresh(model.reserved);
    for (Action step : way) {
      perform(step, region, at);
      at = at.after(step);
    }
    assertEquals(model, at);
    boolean allowed = model.allows(action);
    if (allowed) {
      perform(action, region, model);
      at = model.after(action);
    } else {
      assertThrows(IllegalStateException.class, () -> perform(action, region, model), where);
    }
    verify(region, at, where);
    end(region, at);
    assertEquals(0, budget.usedBytes(), where);
    return allowed;
  }

  private void verify(Region region, Model model, String where) {
    assertEquals(!model.closed, region.segment().scope().isAlive(), where);
    assertEquals(model.closed ? 0 : model.committed * UNIT, budget.usedBytes(), where);
    assertTrue(
        region
            .toString()
            .endsWith(
                "%s leases=%d registrations=%d sealed=%s]"
                    .formatted(
                        model.closed ? "closed" : "open",
                        model.leases,
                        model.registrations,
                        model.sealed)),
        where + ": " + region);
  }

  private static void end(Region region, Model model) {
    for (int i = 0; i < model.leases; i++) {
      region.unlease(0, UNIT);
    }
    for (int i = 0; i < model.registrations; i++) {
      region.removeRegistration();
    }
    region.close();
    assertFalse(region.segment().scope().isAlive());
  }
}
