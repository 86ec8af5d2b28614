package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GhostsTest {
  @Test
  void keysAreFoundInTheirListsUntilRemoved() {
    for (int capacity : new int[] {1, 2, 3, 50, 64}) {
      Random random = new Random(capacity);
      Ghosts ghosts = new Ghosts(capacity, 2);
      List<List<Long>> model = List.of(new ArrayList<>(), new ArrayList<>());
      for (int step = 0; step < 20_000; step++) {
        long key = (long) random.nextInt(3 * capacity) - capacity;
        int list = random.nextInt(2);
        int at = ghosts.find(key);
        boolean known = model.get(0).contains(key) || model.get(1).contains(key);
        assertEquals(known, at != Ghosts.NONE, "key=" + key + " step=" + step);
        if (known) {
          assertEquals(model.get(0).contains(key) ? 0 : 1, ghosts.listOf(at));
          if (random.nextBoolean()) {
            ghosts.remove(at);
            model.forEach(keys -> keys.remove(key));
          }
        } else {
          if (model.get(0).size() + model.get(1).size() == capacity) {
            int oldestOf = model.get(list).isEmpty() ? 1 - list : list;
            ghosts.removeOldest(oldestOf);
            model.get(oldestOf).removeFirst();
          }
          ghosts.add(list, key);
          model.get(list).add(key);
        }
        assertEquals(model.get(0).size(), ghosts.size(0));
        assertEquals(model.get(1).size(), ghosts.size(1));
      }
    }
  }
}
