package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ReactorGroupTest {
  private static final int DEPTH = 4;

  private static GroupOptions options(int count) {
    return GroupOptions.defaults().withCount(count).withReactor(ReactorFixture.options(DEPTH));
  }

  private static NumaNode node(int id, int cpu) {
    BitSet cpus = new BitSet();
    cpus.set(cpu);
    return new NumaNode(id, cpus, 1 << 20, 1 << 20, List.of(10, 20));
  }

  /** Two nodes, each with one of the CPUs that this process may use. */
  private static NumaTopology twoNodes() throws ErrnoException {
    BitSet own = LinuxThreads.affinity();
    assumeTrue(own.cardinality() > 1, "one CPU alone");
    int first = own.nextSetBit(0);
    return NumaTopology.declared(List.of(node(0, first), node(7, own.nextSetBit(first + 1))));
  }

  private static BitSet affinity(Reactor reactor) {
    BitSet cpus = new BitSet();
    ReactorFixture.on(
        reactor,
        () -> {
          try {
            cpus.or(LinuxThreads.affinity());
          } catch (ErrnoException e) {
            throw new UncheckedIOException(e);
          }
        });
    return cpus;
  }

  private static long descriptorCount() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.count();
    }
  }

  @Test
  void reactorsRunOnTheirNodes() throws IOException {
    NumaTopology machine = twoNodes();
    try (ReactorGroup group = ReactorGroup.start(options(2).withNodes(List.of(0, 7)), machine)) {
      assertEquals(machine.node(0).cpus(), affinity(group.reactors().get(0)));
      assertEquals(machine.node(7).cpus(), affinity(group.reactors().get(1)));
    }
  }

  @Test
  void memoryIsServedOnItsNode() throws IOException {
    try (ReactorGroup group = ReactorGroup.start(options(2).withNodes(List.of(0, 7)), twoNodes())) {
      assertSame(group.reactors().get(0), group.reactorFor(0));
      assertSame(group.reactors().get(1), group.reactorFor(7));
    }
    ReactorOptions pinned =
        ReactorFixture.options(DEPTH).withCpus(Set.of(twoNodes().node(7).cpus().nextSetBit(0)));
    GroupOptions one = GroupOptions.defaults().withReactor(pinned);
    try (ReactorGroup group = ReactorGroup.start(one, twoNodes())) {
      assertSame(group.reactors().getFirst(), group.reactorFor(0), "there is no other");
    }
  }

  @Test
  void threadsAreSpreadAndStay() throws Exception {
    try (ReactorGroup group = ReactorGroup.start(options(2))) {
      Set<Reactor> met = Collections.newSetFromMap(new IdentityHashMap<>());
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        threads.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      Reactor reactor = group.reactorFor(ReactorGroup.NO_NODE);
                      assertSame(reactor, group.reactorFor(12345), "a node that has none");
                      synchronized (met) {
                        met.add(reactor);
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(Set.copyOf(group.reactors()), Set.copyOf(met));
    }
  }

  @Test
  void tasksStayWhereTheyAre() throws Exception {
    try (ReactorGroup group = ReactorGroup.start(options(2).withNodes(List.of(0, 7)), twoNodes());
        Reactor other = ReactorFixture.start(DEPTH)) {
      for (Reactor own : group.reactors()) {
        assertSame(own, own.submit(() -> group.reactorFor(0)).get());
        assertSame(own, own.submit(() -> group.reactorFor(7)).get());
        ReactorFixture.on(own, () -> assertSame(own, group.reactorFor(0)));
      }
      Reactor near = other.submit(() -> group.reactorFor(7)).get();
      assertSame(group.reactors().get(1), near, "a reactor of nobody's");
      assertNotSame(other, near);
    }
  }

  @Test
  void closeIsRefusedOnItsOwn() throws Exception {
    try (ReactorGroup group = ReactorGroup.start(options(2))) {
      Reactor second = group.reactors().get(1);
      AutoCloseable same = group;
      ExecutionException e =
          assertThrows(
              ExecutionException.class,
              () ->
                  second
                      .submit(
                          () -> {
                            same.close();
                            return null;
                          })
                      .get());
      assertEquals(IllegalStateException.class, e.getCause().getClass());
      for (Reactor reactor : group.reactors()) {
        assertEquals(1, reactor.submit(() -> 1).get(), "nothing has happened");
      }
    }
  }

  @Test
  void nothingIsLeftBehind() throws IOException {
    ReactorGroup.start(options(3)).close();
    long before = descriptorCount();
    for (int i = 0; i < 100; i++) {
      ReactorGroup group = ReactorGroup.start(options(3));
      group.close();
      group.close();
      for (Reactor reactor : group.reactors()) {
        assertFalse(reactor.thread().isAlive());
      }
    }
    assertEquals(before, descriptorCount());
  }

  @Test
  void nothingIsLeftBehindIfOneDoesNotStart() throws IOException {
    // A CPU that the declared machine has and this one lacks.
    NumaTopology machine =
        NumaTopology.declared(
            List.of(node(0, LinuxThreads.affinity().nextSetBit(0)), node(1, 8000)));
    GroupOptions options = options(2).withNodes(List.of(0, 1));
    assertThrows(IOException.class, () -> ReactorGroup.start(options, machine));
    long before = descriptorCount();
    for (int i = 0; i < 20; i++) {
      assertThrows(IOException.class, () -> ReactorGroup.start(options, machine));
    }
    assertEquals(before, descriptorCount());
    assertThrows(
        IllegalArgumentException.class,
        () -> ReactorGroup.start(options.withNodes(List.of(1, 2)), machine));
  }
}
