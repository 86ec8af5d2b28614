package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * Every order in which the critical sections of some actors can follow one another. Each call takes
 * the lock of the tree once, so these are all the executions there are, up to parking, which {@link
 * BudgetStressTest} races. After each step no request may be left waiting that could be granted.
 */
class BudgetInterleavingTest {
  /** A fresh tree and what the actors hold in it. */
  private static final class World {
    final MemoryBudget root = MemoryBudget.root("root", 10);
    final MemoryBudget a = root.child("a", 6, 2);
    final MemoryBudget b = root.child("b", 10);
    final MemoryBudget a1 = a.child("a1", 6);
    final Map<MemoryBudget, MemoryBudget> parents = Map.of(a, root, b, root, a1, a);
    final List<BudgetRequest> requests = new ArrayList<>();
    final BudgetRequest[] held = new BudgetRequest[8];

    /** The slots whose callbacks ran. */
    final List<Integer> calls = new ArrayList<>();

    boolean taken;

    void ask(int slot, MemoryBudget budget, long bytes) {
      try {
        held[slot] = budget.whenAvailable(bytes, () -> calls.add(slot));
        requests.add(held[slot]);
      } catch (BudgetExceededException never) {
        assertTrue(root.limitBytes() < 10, "only while the limit is low");
      }
    }

    void finish(int slot) {
      BudgetRequest request = held[slot];
      if (request != null && !request.cancel()) {
        request.budget().release(request.bytes());
      }
    }

    /** The law, worked out afresh from the gauges. */
    void check(String order) {
      Set<MemoryBudget> barred = new HashSet<>();
      for (BudgetRequest request : requests) {
        if (!request.isWaiting()) {
          continue;
        }
        List<MemoryBudget> way = new ArrayList<>();
        boolean stopped = false;
        boolean impossible = false;
        long need = request.bytes();
        for (MemoryBudget at = request.budget(); at != null && need > 0; at = parents.get(at)) {
          way.add(at);
          impossible |= need > at.limitBytes();
          stopped = barred.contains(at) || at.usedBytes() + need > at.limitBytes();
          if (stopped) {
            break;
          }
          need =
              Math.max(at.usedBytes() + need, at.setAsideBytes())
                  - Math.max(at.usedBytes(), at.setAsideBytes());
        }
        assertTrue(stopped, () -> request + " could be granted, after " + order);
        if (!impossible) {
          barred.addAll(way);
        } else {
          // Still first in its own budget.
          barred.add(request.budget());
        }
      }
      Set<Integer> called = new HashSet<>(calls);
      assertEquals(calls.size(), called.size(), () -> "called twice, after " + order);
      for (int slot = 0; slot < held.length; slot++) {
        boolean granted = held[slot] != null && held[slot].isGranted();
        assertEquals(granted, called.contains(slot), () -> order);
      }
      for (MemoryBudget budget : List.of(root, a, b, a1)) {
        assertTrue(budget.peakBytes() <= 10, order);
      }
    }
  }

  private record Step(String name, Consumer<World> action) {}

  private static Step step(String name, Consumer<World> action) {
    return new Step(name, action);
  }

  private static List<Step> askAndFinish(
      int slot, Function<World, MemoryBudget> budget, long bytes) {
    return List.of(
        step("ask" + slot, world -> world.ask(slot, budget.apply(world), bytes)),
        step("finish" + slot, world -> world.finish(slot)));
  }

  private long orders;
  private List<Step> previous = List.of();

  private void runAll(List<List<Step>> actors) {
    interleave(actors, new int[actors.size()], new ArrayList<>());
  }

  private void interleave(List<List<Step>> actors, int[] next, List<Step> order) {
    boolean complete = true;
    for (int i = 0; i < next.length; i++) {
      if (next[i] < actors.get(i).size()) {
        complete = false;
        order.add(actors.get(i).get(next[i]++));
        interleave(actors, next, order);
        order.removeLast();
        next[i]--;
      }
    }
    if (complete) {
      orders++;
      run(order);
    }
  }

  private void run(List<Step> order) {
    World world = new World();
    StringBuilder done = new StringBuilder();
    boolean checked = true;
    for (int i = 0; i < order.size(); i++) {
      Step step = order.get(i);
      done.append(step.name).append(' ');
      step.action.accept(world);
      // The order before has the same beginning, which it has checked.
      checked &= i < previous.size() && previous.get(i).equals(step);
      if (!checked) {
        world.check(done.toString());
      }
    }
    previous = List.copyOf(order);
    assertEquals(2, world.root.usedBytes(), done::toString);
    for (MemoryBudget budget : List.of(world.a, world.b, world.a1)) {
      assertEquals(0, budget.usedBytes(), done::toString);
    }
  }

  @Test
  void noGrantIsLostInAnyOrderOfRequestsAndReleases() {
    Function<World, MemoryBudget> root = world -> world.root;
    Function<World, MemoryBudget> a = world -> world.a;
    Function<World, MemoryBudget> b = world -> world.b;
    Function<World, MemoryBudget> a1 = world -> world.a1;
    List<List<Function<World, MemoryBudget>>> askers =
        List.of(
            List.of(root, a, b, a1),
            List.of(a1, b, root, a),
            List.of(a, a, a1, b),
            List.of(b, b, a1, root),
            List.of(a1, a1, a, a));
    for (List<Function<World, MemoryBudget>> four : askers) {
      runAll(
          List.of(
              askAndFinish(0, four.get(0), 6),
              askAndFinish(1, four.get(1), 5),
              askAndFinish(2, four.get(2), 3),
              askAndFinish(3, four.get(3), 2)));
    }
    assertEquals(5 * 2_520, orders);
  }

  private static final List<Step> LIMITS =
      List.of(
          step("lower", world -> world.root.setLimitBytes(4)),
          step("raise", world -> world.root.setLimitBytes(10)));

  private static final List<Step> TRY =
      List.of(
          step("try", world -> world.taken = world.b.tryReserve(2)),
          step(
              "release",
              world -> {
                if (world.taken) {
                  world.b.release(2);
                }
              }));

  @Test
  void noGrantIsLostWhenLimitsChangeMeanwhile() {
    runAll(
        List.of(
            askAndFinish(0, world -> world.a, 6),
            askAndFinish(1, world -> world.b, 5),
            askAndFinish(2, world -> world.a1, 2),
            LIMITS));
    assertEquals(2_520, orders);
  }

  @Test
  void noGrantIsLostWhenOthersTryMeanwhile() {
    runAll(
        List.of(
            askAndFinish(0, world -> world.root, 8),
            askAndFinish(1, world -> world.b, 5),
            TRY,
            LIMITS));
    assertEquals(2_520, orders);
  }

  @Test
  void checkFiresWhenAGrantIsLost() {
    World world = new World();
    world.ask(0, world.root, 8);
    world.ask(1, world.b, 3);
    world.check("two requests");
    // Room that nobody was told of: exactly what a lost wake-up looks like.
    world.root.tree().lock();
    world.root.take(-8);
    world.root.tree().unlock();
    assertFalse(world.requests.get(1).isGranted());
    boolean fired = false;
    try {
      world.check("a release that wakes nobody");
    } catch (AssertionError expected) {
      fired = true;
    }
    assertTrue(fired);
  }
}
