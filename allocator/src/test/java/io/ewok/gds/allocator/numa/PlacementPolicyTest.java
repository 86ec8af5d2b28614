package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.PlacementPolicy.Mode;
import java.util.BitSet;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlacementPolicyTest {
  @Test
  void everyFormIsRead() {
    assertEquals(PlacementPolicy.none(), PlacementPolicy.parse("default"));
    assertEquals(PlacementPolicy.local(), PlacementPolicy.parse("local"));
    assertEquals(PlacementPolicy.preferred(1), PlacementPolicy.parse("preferred:1"));
    assertEquals(PlacementPolicy.preferredMany(0, 2), PlacementPolicy.parse("preferred-many:0,2"));
    assertEquals(PlacementPolicy.bind(0, 1), PlacementPolicy.parse("bind:0-1"));
    assertEquals(PlacementPolicy.interleave(0, 1), PlacementPolicy.parse(" interleave:0-1 "));
    assertEquals(
        PlacementPolicy.weightedInterleave(0, 1, 3, 1023),
        PlacementPolicy.parse("weighted-interleave:0-1,3,1023"));
  }

  @Test
  void parseAndToStringAreInverse() {
    long seed = 7;
    Random random = new Random(seed);
    for (Mode mode : Mode.values()) {
      for (int round = 0; round < 100; round++) {
        BitSet nodes = new BitSet();
        int count =
            switch (mode) {
              case DEFAULT, LOCAL -> 0;
              case PREFERRED -> 1;
              default -> 1 + random.nextInt(12);
            };
        while (nodes.cardinality() < count) {
          nodes.set(random.nextInt(random.nextBoolean() ? 16 : 1024));
        }
        PlacementPolicy policy = new PlacementPolicy(mode, nodes);
        assertEquals(policy, PlacementPolicy.parse(policy.toString()), "seed=" + seed);
      }
    }
  }

  @Test
  void listsAreWrittenAsShortAsPossible() {
    assertEquals("bind:0-2,5,8-9", PlacementPolicy.bind(9, 8, 5, 2, 1, 0).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Interleave:0",
        "interleave",
        "interleave:",
        "interleave:0-",
        "interleave:,0",
        "interleave:0,",
        "interleave:1-0",
        "interleave:5-2",
        "interleave:-1",
        "interleave:0 1",
        "interleave:1024",
        "interleave:99999999999999999999",
        "preferred:0-1",
        "preferred",
        "default:0",
        "default:",
        "local:1",
        "bind=0",
        "nearest:0"
      })
  void wrongTextIsAnErrorThatEndsInTheSetting(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> PlacementPolicy.parse(text));
    assertTrue(e.getMessage().endsWith(": numa.policy=" + text), e.getMessage());
  }

  @Test
  void unknownFormNamesTheValidOnes() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> PlacementPolicy.parse("nearest:0"))
            .getMessage();
    for (Mode mode : Mode.values()) {
      assertTrue(message.contains(mode.toString()), message);
    }
  }

  @Test
  void nodesAreWhatTheModeWants() {
    assertThrows(IllegalArgumentException.class, PlacementPolicy::bind);
    assertThrows(IllegalArgumentException.class, () -> PlacementPolicy.bind(-1));
    assertThrows(IllegalArgumentException.class, () -> PlacementPolicy.bind(1024));
    BitSet two = new BitSet();
    two.set(0, 2);
    assertThrows(IllegalArgumentException.class, () -> new PlacementPolicy(Mode.PREFERRED, two));
    assertThrows(IllegalArgumentException.class, () -> new PlacementPolicy(Mode.LOCAL, two));
    BitSet beyond = new BitSet();
    beyond.set(1024);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new PlacementPolicy(Mode.BIND, beyond));
    assertTrue(e.getMessage().endsWith("node=1024"), e.getMessage());
  }

  @Test
  void policyIsAValueThatNobodyChanges() {
    BitSet nodes = new BitSet();
    nodes.set(1);
    PlacementPolicy policy = new PlacementPolicy(Mode.BIND, nodes);
    nodes.set(2);
    policy.nodes().set(3);
    assertEquals(PlacementPolicy.bind(1), policy);
  }

  @Test
  void onlyNodeIsThereIfThePolicyNamesOne() {
    assertEquals(OptionalInt.of(3), PlacementPolicy.bind(3).onlyNode());
    assertEquals(OptionalInt.of(0), PlacementPolicy.preferred(0).onlyNode());
    assertEquals(OptionalInt.empty(), PlacementPolicy.interleave(0, 1).onlyNode());
    assertEquals(OptionalInt.empty(), PlacementPolicy.local().onlyNode());
  }
}
