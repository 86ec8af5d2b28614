package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GroupOptionsTest {
  private static NumaNode node(int id, int... cpus) {
    BitSet set = new BitSet();
    for (int cpu : cpus) {
      set.set(cpu);
    }
    return new NumaNode(id, set, 1 << 20, 1 << 20, List.of(10, 20, 20));
  }

  /** Two nodes with CPUs, and one with memory alone. */
  private static final NumaTopology MACHINE =
      NumaTopology.declared(List.of(node(0, 0, 2), node(3, 1, 3), node(5)));

  private static List<Set<Integer>> cpus(String count, String name, String value) {
    GroupOptions options = GroupOptions.from(Map.of("reactor.count", count, name, value));
    return options.each(MACHINE).stream().map(ReactorOptions::cpus).toList();
  }

  @Test
  void cpusAreDealtOut() {
    assertEquals(List.of(Set.of(0, 1, 2)), cpus("1", "reactor.cpus", "0-2"));
    assertEquals(
        List.of(Set.of(0), Set.of(2), Set.of(3)), cpus("3", "reactor.cpus", "2-3,0"), "pinned");
    assertEquals(List.of(Set.of(0, 1), Set.of(2, 3)), cpus("2", "reactor.cpus", "0-3"));
    assertEquals(List.of(Set.of(), Set.of()), cpus("2", "reactor.cpus", ""));
  }

  @Test
  void nodesTakeTurns() {
    assertEquals(
        List.of(Set.of(0, 2), Set.of(1, 3), Set.of(0, 2), Set.of(1, 3)),
        cpus("4", "reactor.nodes", "0,3"));
    assertThrows(IllegalArgumentException.class, () -> cpus("1", "reactor.nodes", "4"));
    assertThrows(IllegalArgumentException.class, () -> cpus("1", "reactor.nodes", "5"), "no CPUs");
  }

  @Test
  void theyHaveNamesOfTheirOwn() {
    GroupOptions one = GroupOptions.defaults();
    assertEquals(List.of("gds-reactor"), names(one));
    assertEquals(List.of("gds-reactor-0", "gds-reactor-1"), names(one.withCount(2)));
  }

  private static List<String> names(GroupOptions options) {
    return options.each(MACHINE).stream().map(ReactorOptions::name).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "reactor.count=x",
        "reactor.nodes=1-",
        "reactor.nodes=a",
        "reactor.cpus=9999",
        "reactor.kount=1"
      })
  void nonsenseIsRefusedByName(String setting) {
    String[] parts = setting.split("=", -1);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> GroupOptions.from(Map.of(parts[0], parts[1])));
    assertTrue(e.getMessage().endsWith(setting), e.getMessage());
  }

  @Test
  void whatDoesNotFitTogetherIsRefused() {
    for (Map<String, String> settings :
        List.of(
            Map.of("reactor.count", "0"),
            Map.of("reactor.count", "9999"),
            Map.of("reactor.count", "2", "reactor.cpus", "0-2"),
            Map.of("reactor.count", "1", "reactor.nodes", "0,1"),
            Map.of("reactor.nodes", "0", "reactor.cpus", "0"))) {
      assertThrows(IllegalArgumentException.class, () -> GroupOptions.from(settings));
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> GroupOptions.defaults().withCount(2).withNodes(List.of(1, 1)));
  }
}
