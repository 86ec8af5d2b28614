package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.PlacementPolicy.Mode;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On imagined kernels, and on the one that runs the test, which has node 0 at least. */
class PlacementTest {
  private static final long MIB = 1L << 20;

  private final Arena arena = Arena.ofConfined();

  /** Mapped, and never written unless a test does it. */
  private final MemorySegment memory = map(64 * MIB);

  @AfterEach
  void unmap() {
    arena.close();
  }

  private MemorySegment map(long bytes) {
    try {
      return LinuxMemory.map(bytes, 2 * MIB, arena);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "local",
        "preferred:1",
        "preferred-many:0,3",
        "bind:0-1",
        "interleave:0-3",
        "weighted-interleave:2-3"
      })
  void acceptedPolicyIsInEffectAndNotDegraded(String text) {
    PlacementPolicy policy = PlacementPolicy.parse(text);
    FakeKernel kernel = new FakeKernel(0, 1, 2, 3);
    Placement placement = Placement.request(memory, policy, kernel);
    assertEquals(List.of("mbind", "get_mempolicy"), kernel.calls);
    assertEquals(policy, placement.requested());
    assertEquals(policy, placement.effective());
    assertEquals("", placement.reason());
    assertFalse(placement.isDegraded());
    assertEquals(Map.of(), placement.pagesByNode());
    assertEquals(0, placement.untouchedPages());
  }

  @Test
  void defaultIsNotRequestedAndNeverDegraded() {
    for (int errno : List.of(Errno.EPERM, Errno.ENOSYS)) {
      FakeKernel kernel =
          new FakeKernel(0)
              .refuses("mbind", errno)
              .refuses("get_mempolicy", errno)
              .refuses("move_pages", errno);
      Placement placement =
          Placement.request(memory, PlacementPolicy.none(), kernel).verify(memory, kernel);
      assertEquals(PlacementPolicy.none(), placement.effective());
      assertFalse(placement.isDegraded(), placement.toString());
      assertFalse(kernel.calls.contains("mbind"));
    }
  }

  @ParameterizedTest
  @CsvSource({"EPERM,filter", "EACCES,filter", "ENOSYS,without NUMA", "ENOMEM,ENOMEM"})
  void refusalIsSurvivedAndReported(String errno, String word) {
    FakeKernel kernel = new FakeKernel(0, 1).refuses("mbind", Errno.number(errno));
    for (String text : List.of("local", "bind:0", "weighted-interleave:0-1", "preferred-many:0")) {
      kernel.calls.clear();
      Placement placement =
          Placement.request(memory, PlacementPolicy.parse(text), kernel).verify(memory, kernel);
      // Only an unknown mode is a reason to try another.
      assertEquals(List.of("mbind", "get_mempolicy", "get_mempolicy", "move_pages"), kernel.calls);
      assertEquals(PlacementPolicy.none(), placement.effective());
      assertTrue(placement.isDegraded());
      assertTrue(placement.reason().contains("mbind refused with " + errno), placement.reason());
      assertTrue(placement.reason().contains(word), placement.reason());
    }
  }

  @Test
  void containerThatDeniesEverythingIsSurvived() {
    FakeKernel kernel =
        new FakeKernel(0, 1)
            .refuses("mbind", Errno.EPERM)
            .refuses("get_mempolicy", Errno.EPERM)
            .refuses("move_pages", Errno.EPERM);
    Placement placement =
        Placement.request(memory, PlacementPolicy.bind(1), kernel).verify(memory, kernel);
    assertEquals(PlacementPolicy.none(), placement.effective());
    assertEquals(Map.of(), placement.pagesByNode());
    assertTrue(placement.reason().contains("mbind refused with EPERM"), placement.reason());
    assertTrue(placement.reason().contains("cannot be verified"), placement.reason());
  }

  @Test
  void whatCannotBeVerifiedSaysSo() {
    FakeKernel unreadable = new FakeKernel(0, 1).refuses("get_mempolicy", Errno.EPERM);
    Placement placement = Placement.request(memory, PlacementPolicy.bind(1), unreadable);
    assertEquals(PlacementPolicy.bind(1), placement.effective());
    assertTrue(placement.reason().startsWith("cannot be verified"), placement.reason());

    FakeKernel unseen = new FakeKernel(0, 1).refuses("move_pages", Errno.EPERM);
    placement = Placement.request(memory, PlacementPolicy.bind(1), unseen);
    assertFalse(placement.isDegraded());
    assertTrue(placement.verify(memory, unseen).reason().contains("move_pages refused"));
  }

  @Test
  void oldKernelInterleavesWithoutWeights() {
    FakeKernel kernel = new FakeKernel(0, 1).doesNotKnow(Mode.WEIGHTED_INTERLEAVE);
    Placement placement =
        Placement.request(memory, PlacementPolicy.weightedInterleave(0, 1), kernel);
    assertEquals(PlacementPolicy.interleave(0, 1), placement.effective());
    assertEquals(
        "the kernel does not know weighted-interleave, took interleave:0-1", placement.reason());
  }

  @Test
  void oldKernelPrefersTheFirstOfMany() {
    FakeKernel kernel = new FakeKernel(0, 1, 2).doesNotKnow(Mode.PREFERRED_MANY);
    Placement placement = Placement.request(memory, PlacementPolicy.preferredMany(1, 2), kernel);
    assertEquals(PlacementPolicy.preferred(1), placement.effective());
    assertEquals("the kernel does not know preferred-many, took preferred:1", placement.reason());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"preferred:5", "bind:5", "interleave:5-6", "weighted-interleave:5", "bind:1"})
  void nodeThatTheMachineLacksIsReported(String text) {
    // Node 1 is there in the machine, without memory.
    FakeKernel kernel = new FakeKernel(0, 2);
    Placement placement = Placement.request(memory, PlacementPolicy.parse(text), kernel);
    assertEquals(PlacementPolicy.none(), placement.effective());
    assertTrue(placement.reason().contains("EINVAL"), placement.reason());
    assertTrue(placement.reason().contains("absent"), placement.reason());
  }

  @Test
  void nodesThatTheKernelLeavesOutAreReported() {
    FakeKernel kernel = new FakeKernel(0, 2);
    Placement placement = Placement.request(memory, PlacementPolicy.interleave(0, 1, 2), kernel);
    assertEquals(PlacementPolicy.interleave(0, 2), placement.effective());
    assertTrue(placement.reason().contains("keeps interleave:0,2"), placement.reason());
  }

  @Test
  void policyThatWasLostIsNoticed() {
    FakeKernel kernel = new FakeKernel(0, 1);
    Placement requested = Placement.request(memory, PlacementPolicy.bind(1), kernel);
    kernel.keeps(0, new BitSet());
    Placement placement = requested.verify(memory, kernel);
    assertEquals(PlacementPolicy.none(), placement.effective());
    assertEquals("somebody else's policy is in force, default", placement.reason());
  }

  @Test
  void localIsReadBackFromKernelsThatCallItPreferred() {
    FakeKernel kernel = new FakeKernel(0).refuses("mbind", Errno.EPERM).keeps(1, new BitSet());
    Placement placement = Placement.request(memory, PlacementPolicy.local(), kernel);
    assertEquals(PlacementPolicy.local(), placement.effective());
  }

  @Test
  void policyThatNobodyKnowsIsNoError() {
    BitSet nodes = new BitSet();
    nodes.set(0);
    FakeKernel kernel = new FakeKernel(0).keeps(4711, nodes);
    Placement placement = Placement.request(memory, PlacementPolicy.none(), kernel);
    assertEquals(PlacementPolicy.none(), placement.effective());
    // Of no node, as an imitation of a kernel may say.
    kernel.keeps(Mode.BIND.number, new BitSet());
    assertEquals(PlacementPolicy.none(), placement.verify(memory, kernel).effective());
    kernel.keeps(1 << 15 | 2, nodes);
    assertEquals(PlacementPolicy.bind(0), placement.verify(memory, kernel).effective());
  }

  @Test
  void pagesOutsideOfThePolicyAreCounted() {
    FakeKernel kernel = new FakeKernel(0, 1).places(page -> page % 2 == 0 ? 0 : 1);
    Placement placement =
        Placement.request(memory, PlacementPolicy.preferred(1), kernel).verify(memory, kernel);
    int elsewhere = placement.pagesByNode().get(0);
    assertTrue(
        placement.reason().contains(elsewhere + " of 64 sampled pages lie elsewhere"),
        placement.reason());
    assertFalse(
        Placement.request(memory, PlacementPolicy.interleave(0, 1), kernel)
            .verify(memory, kernel)
            .isDegraded());
  }

  @Test
  void verifyingAgainForgetsWhatWasSeenBefore() {
    FakeKernel kernel = new FakeKernel(0, 1).places(page -> 0);
    Placement first =
        Placement.request(memory, PlacementPolicy.preferred(1), kernel).verify(memory, kernel);
    assertTrue(first.isDegraded());
    kernel.places(page -> 1);
    Placement second = first.verify(memory, kernel);
    assertFalse(second.isDegraded(), second.toString());
    assertEquals(Map.of(1, 64), second.pagesByNode());
  }

  /** Equal strides would see one node alone. */
  @ParameterizedTest
  @CsvSource({"2,1", "4,1", "8,1", "2,512", "4,512", "8,512"})
  void sampleSeesEveryNodeOfAnInterleavedRange(int nodes, int pagesInTurn) {
    MemorySegment large = map(1L << 30);
    FakeKernel kernel = new FakeKernel(0).places(page -> (int) (page / pagesInTurn % nodes));
    Placement placement =
        Placement.request(large, PlacementPolicy.none(), kernel).verify(large, kernel);
    assertEquals(nodes, placement.pagesByNode().size());
    int least = 64 / nodes / 4;
    placement
        .pagesByNode()
        .forEach((node, pages) -> assertTrue(pages > least, placement.toString()));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 4096, 4097, 63 * 4096, 64 * 4096, 65 * 4096, 1000 * 4096})
  void sampleStaysInTheMemoryAndTakesNoPageTwice(long bytes) {
    MemorySegment part = memory.asSlice(0, bytes);
    long firstPage = part.address() / LinuxMemory.pageSizeBytes();
    BitSet seen = new BitSet();
    FakeKernel kernel =
        new FakeKernel(0)
            .places(
                page -> {
                  assertFalse(seen.get((int) (page - firstPage)));
                  seen.set((int) (page - firstPage));
                  return 0;
                });
    Placement.request(part, PlacementPolicy.none(), kernel).verify(part, kernel);
    long pages = Math.ceilDiv(bytes, LinuxMemory.pageSizeBytes());
    assertEquals(Math.min(pages, PageSample.PAGES_MAX), seen.cardinality());
    assertTrue(seen.length() <= pages);
  }

  @Test
  void untouchedPagesStayUntouched() throws Exception {
    Placement placement = Placement.request(memory, PlacementPolicy.local());
    placement = placement.verify(memory);
    assertEquals(64, placement.untouchedPages());
    assertEquals(64, placement.verify(memory).untouchedPages());
    memory.fill((byte) 1);
    placement = placement.verify(memory);
    assertEquals(0, placement.untouchedPages());
    assertEquals(64, placement.pagesByNode().values().stream().mapToInt(Integer::intValue).sum());
  }

  /** What this kernel takes is in effect, what it does not is reported; the memory is usable. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "default",
        "local",
        "preferred:0",
        "preferred-many:0",
        "bind:0",
        "interleave:0",
        "weighted-interleave:0"
      })
  void realKernelPlacesOnNodeZeroOrSaysWhyNot(String text) throws Exception {
    PlacementPolicy policy = PlacementPolicy.parse(text);
    MemorySegment small = map(2 * MIB);
    Placement requested = Placement.request(small, policy);
    LinuxMemory.populate(small);
    Placement placement = requested.verify(small);
    if (!placement.isDegraded()) {
      assertEquals(policy, placement.effective());
      if (policy.onlyNode().isPresent()) {
        assertEquals(Map.of(0, 64), placement.pagesByNode(), placement.toString());
      }
    }
  }

  @Test
  void realKernelRefusesAnAbsentNode() {
    Placement placement = Placement.request(memory, PlacementPolicy.bind(1023));
    assertTrue(placement.isDegraded());
    assertEquals(PlacementPolicy.none(), placement.effective());
  }

  @Test
  void onlyLiveNativePagesHaveAPlace() {
    PlacementPolicy policy = PlacementPolicy.bind(0);
    assertThrows(
        IllegalArgumentException.class,
        () -> Placement.request(MemorySegment.ofArray(new byte[4096]), policy));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Placement.request(memory.asSlice(64, 4096), policy));
    assertTrue(
        e.getMessage().endsWith("address=0x" + Long.toHexString(memory.address() + 64)),
        e.getMessage());
    Placement placement = Placement.request(memory, policy);
    MemorySegment closed;
    try (Arena brief = Arena.ofConfined()) {
      closed = brief.allocate(4096, 4096);
    }
    assertThrows(IllegalStateException.class, () -> Placement.request(closed, policy));
    assertThrows(IllegalStateException.class, () -> placement.verify(closed));
  }

  @Test
  void toStringIsOneLineWithEverything() {
    FakeKernel kernel = new FakeKernel(0, 1).places(page -> 1);
    Placement placement =
        Placement.request(memory, PlacementPolicy.preferred(0), kernel).verify(memory, kernel);
    assertEquals(
        "Placement[requested=preferred:0 effective=preferred:0 pagesByNode={1=64} untouchedPages=0"
            + " reason=64 of 64 sampled pages lie elsewhere]",
        placement.toString());
  }
}
