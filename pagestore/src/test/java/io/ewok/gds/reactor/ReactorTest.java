package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.ffm.OpenFlags;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ReactorTest {
  private static final int DEPTH = 4;
  private static final int PAGE = 4096;

  @TempDir Path directory;
  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private Region region;
  private Reactor reactor;
  private int descriptor;

  @BeforeEach
  void open() throws IOException {
    ReactorOptions options = ReactorFixture.options(DEPTH);
    region = Region.map(budget, RegionOptions.ofSize(64 * PAGE));
    reactor = Reactor.start(options);
    descriptor =
        LinuxFiles.open(
            directory.resolve("data"),
            OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL,
            0600);
  }

  @AfterEach
  void close() throws IOException {
    if (reactor != null) {
      reactor.close();
      LinuxFiles.close(descriptor);
      region.close();
    }
  }

  /** Tells how it ended. */
  private final class Probe extends RingOperation {
    final Baton done = new Baton();
    final RuntimeException thrown;
    int result;
    Throwable failure;
    boolean memoryInUse;
    int repeats;

    Probe(RuntimeException thrown) {
      this.thrown = thrown;
    }

    // The outer names, since the operation has some of its own.
    Probe write(int page) {
      long at = (long) page * PAGE;
      prepareWrite(ReactorTest.this.descriptor, at, ReactorTest.this.region, at, PAGE, 0);
      return this;
    }

    Probe read(int page, int intoPage) {
      prepareRead(
          ReactorTest.this.descriptor,
          (long) page * PAGE,
          ReactorTest.this.region,
          (long) intoPage * PAGE,
          PAGE);
      return this;
    }

    Probe sync() {
      prepareSync(ReactorTest.this.descriptor);
      return this;
    }

    Probe readBadDescriptor() {
      prepareRead(-1, 0, ReactorTest.this.region, 0, PAGE);
      return this;
    }

    @Override
    protected boolean completed(int result) {
      if (thrown != null) {
        throw thrown;
      }
      this.result = result;
      if (repeats > 0) {
        repeats--;
        return true;
      }
      done.post();
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {
      this.failure = cause;
      this.memoryInUse = memoryInUse;
      done.post();
    }
  }

  @Test
  void moreThanTheDepthAllComplete() {
    List<Probe> probes = new ArrayList<>();
    for (int page = 0; page < 8 * DEPTH; page++) {
      region.segment().set(ValueLayout.JAVA_INT, (long) page * PAGE, page + 1);
      Probe probe = new Probe(null).write(page);
      probe.repeats = page % 3;
      probes.add(probe);
      reactor.enqueue(probe);
    }
    reactor.wakeUp();
    for (Probe probe : probes) {
      probe.done.await();
      assertEquals(PAGE, probe.result);
      assertEquals(0, probe.repeats);
    }
    Probe sync = new Probe(null).sync();
    reactor.submit(sync);
    sync.done.await();
    assertEquals(0, sync.result);
    for (int page = 0; page < 8 * DEPTH; page++) {
      Probe probe = new Probe(null).read(page, 60);
      reactor.submit(probe);
      probe.done.await();
      assertEquals(page + 1, region.segment().get(ValueLayout.JAVA_INT, 60L * PAGE));
    }
  }

  @Test
  void batchesNeedNoMoreThanACallForEachOperation() {
    List<Probe> probes = new ArrayList<>();
    long before = reactor.enterCount();
    for (int page = 0; page < 32; page++) {
      Probe probe = new Probe(null).write(page);
      probes.add(probe);
      reactor.enqueue(probe);
    }
    reactor.wakeUp();
    probes.forEach(probe -> probe.done.await());
    long calls = reactor.enterCount() - before;
    assertTrue(calls <= 32 + 4, "and some to wake and to sleep: calls=" + calls);
  }

  @Test
  void errorsOfTheKernelAreResults() {
    Probe probe = new Probe(null).readBadDescriptor();
    reactor.submit(probe);
    probe.done.await();
    assertEquals(-Errno.EBADF, probe.result);
  }

  @Test
  void registeredBuffersCarryTheSameBytes() {
    assumeTrue(reactor.hasFixedBuffers());
    assertEquals(0, reactor.register(region));
    region.segment().set(ValueLayout.JAVA_INT, 0, 77);
    for (RingOperation operation :
        new Probe[] {new Probe(null).write(0), new Probe(null).read(0, 9)}) {
      reactor.submit(operation);
      ((Probe) operation).done.await();
      assertEquals(PAGE, ((Probe) operation).result);
    }
    assertEquals(77, region.segment().get(ValueLayout.JAVA_INT, 9L * PAGE));
    reactor.unregister(region);
    reactor.unregister(region);
    Probe plain = new Probe(null).read(0, 10);
    reactor.submit(plain);
    plain.done.await();
    assertEquals(77, region.segment().get(ValueLayout.JAVA_INT, 10L * PAGE));
  }

  @Test
  void allBufferSlotsTakenIsTold() {
    assumeTrue(reactor.hasFixedBuffers());
    List<Region> regions = new ArrayList<>();
    int errno = 0;
    while (errno == 0 && regions.size() < 100) {
      Region more = Region.map(budget, RegionOptions.ofSize(PAGE));
      regions.add(more);
      errno = reactor.register(more);
    }
    assertEquals(Errno.ENOSPC, errno);
    regions.forEach(reactor::unregister);
    assertEquals(0, reactor.register(region));
    regions.forEach(Region::close);
  }

  @Test
  void failingCallbackFailsEverybodyAndNobodyHangs() {
    RuntimeException bug = new IllegalArgumentException("a bug");
    List<Probe> others = new ArrayList<>();
    // One fewer than fit, since what repeats goes before what is new.
    for (int page = 0; page < DEPTH - 1; page++) {
      Probe other = new Probe(null).write(page);
      other.repeats = Integer.MAX_VALUE; // runs until the reactor ends
      others.add(other);
      reactor.submit(other);
    }
    Probe faulty = new Probe(bug).write(10);
    reactor.submit(faulty);
    faulty.done.await();
    assertSame(bug, faulty.failure);
    for (Probe other : others) {
      other.done.await();
      assertSame(bug, other.failure);
      assertFalse(other.memoryInUse, "the kernel was waited for");
    }
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> reactor.submit(new Probe(null).write(0)));
    assertSame(bug, e.getCause());
    assertThrows(IllegalStateException.class, () -> reactor.register(region));
  }

  @Test
  void closeCompletesWhatTheKernelHasAndFailsTheRest() {
    List<Probe> probes = new ArrayList<>();
    for (int page = 0; page < 40; page++) {
      Probe probe = new Probe(null).write(page);
      probe.repeats = page < DEPTH ? 0 : Integer.MAX_VALUE; // these never end by themselves
      probes.add(probe);
      reactor.submit(probe);
    }
    probes.getFirst().done.await();
    reactor.close();
    assertNull(probes.getFirst().failure);
    assertInstanceOf(IllegalStateException.class, probes.getLast().failure);
    for (int page = 0; page < 40; page++) {
      Probe probe = probes.get(page);
      assertTrue(probe.done.isPosted(), "page=" + page);
      if (probe.failure == null) {
        assertEquals(PAGE, probe.result);
      } else {
        assertInstanceOf(IllegalStateException.class, probe.failure);
        assertFalse(probe.memoryInUse);
      }
    }
    reactor.close();
    assertThrows(IllegalStateException.class, () -> reactor.submit(new Probe(null).write(0)));
  }

  @Test
  void waitingForItselfIsRefused() {
    onReactor(() -> assertThrows(IllegalStateException.class, reactor::close));
  }

  private void onReactor(Runnable body) {
    ReactorFixture.on(reactor, body);
  }

  /** Notes how late it was. */
  private final class Alarm extends Timer {
    final Baton done = new Baton();
    final int count;
    long dueNanos;
    int fired;
    boolean early;

    Alarm(int count) {
      this.count = count;
    }

    @Override
    protected void fired() {
      early |= System.nanoTime() < dueNanos;
      fired++;
      if (fired == count) {
        reactor.cancel(this);
        done.post();
      }
    }
  }

  @Test
  void anIdleReactorWakesForItsTimersAndNotBefore() {
    List<Alarm> alarms = new ArrayList<>();
    long calls = reactor.enterCount();
    onReactor(
        () -> {
          for (int i = 0; i < 20; i++) {
            Alarm alarm = new Alarm(1);
            alarm.dueNanos = System.nanoTime() + i * 3_000_000L;
            alarms.add(alarm);
            reactor.schedule(alarm, i * 3_000_000L);
          }
        });
    for (Alarm alarm : alarms) {
      alarm.done.await();
      assertFalse(alarm.early);
    }
    calls = reactor.enterCount() - calls;
    assertTrue(calls < 100, "it sleeps meanwhile: calls=" + calls);
  }

  @Test
  void timersFireWhileTheReactorIsLoadedAndPeriodicOnesGoOn() {
    for (int page = 0; page < DEPTH - 1; page++) {
      Probe probe = new Probe(null).write(page);
      probe.repeats = Integer.MAX_VALUE;
      reactor.submit(probe);
    }
    Alarm periodic = new Alarm(10);
    Alarm cancelled = new Alarm(1);
    onReactor(
        () -> {
          reactor.schedulePeriodic(periodic, 2_000_000);
          reactor.schedule(cancelled, 4_000_000);
          assertTrue(reactor.cancel(cancelled));
          assertFalse(reactor.cancel(cancelled));
        });
    periodic.done.await();
    assertEquals(0, cancelled.fired);
    assertThrows(IllegalStateException.class, () -> reactor.schedule(cancelled, 1));
  }

  @Test
  void aCallbackWaitsByTurningTheLoop() {
    Probe inner = new Probe(null).write(3);
    Baton fromOutside = new Baton();
    Thread poster =
        Thread.ofPlatform()
            .unstarted(
                () -> {
                  fromOutside.post();
                  reactor.wakeUp();
                });
    onReactor(
        () -> {
          reactor.submit(inner);
          reactor.runUntil(inner.done);
          poster.start();
          reactor.runUntil(fromOutside);
        });
    assertEquals(PAGE, inner.result);
  }

  @Test
  void aPinnedReactorRunsOnItsCpuOnly() throws Exception {
    int cpu = LinuxThreads.affinity().nextSetBit(0);
    try (Reactor pinned = Reactor.start(ReactorFixture.options(DEPTH).withCpus(Set.of(cpu)))) {
      List<BitSet> seen = new ArrayList<>();
      ReactorFixture.on(
          pinned,
          () -> {
            try {
              seen.add(LinuxThreads.affinity());
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      BitSet only = new BitSet();
      only.set(cpu);
      assertEquals(List.of(only), seen);
    }
  }

  @Test
  void aCpuThatIsNotThereIsToldAndLeavesNothingBehind() throws IOException {
    long before = descriptorCount();
    ReactorOptions options = ReactorFixture.options(DEPTH).withCpus(Set.of(8000));
    assertThrows(IOException.class, () -> Reactor.start(options));
    assertEquals(before, descriptorCount());
  }

  @Test
  void startAndCloseLeaveNoDescriptorAndNoLockedMemory() throws IOException {
    long before = descriptorCount();
    for (int i = 0; i < 50; i++) {
      try (Reactor another = Reactor.start(ReactorFixture.options(DEPTH))) {
        if (another.hasFixedBuffers()) {
          assertEquals(0, another.register(region));
        }
      }
    }
    assertEquals(before, descriptorCount());
  }

  private static long descriptorCount() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.count();
    }
  }

  @Test
  void aLoopInItsSteadyStateAllocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Probe[] probes = new Probe[2 * DEPTH];
    for (int page = 0; page < probes.length; page++) {
      probes[page] = new Probe(null).write(page);
    }
    Alarm periodic = new Alarm(Integer.MAX_VALUE);
    onReactor(() -> reactor.schedulePeriodic(periodic, 1_000_000));
    run(probes, 3000);
    long id = reactor.thread().threadId();
    long before = threads.getThreadAllocatedBytes(id);
    run(probes, 3000);
    long bytes = threads.getThreadAllocatedBytes(id) - before;
    assertTrue(bytes < 4096, "bytes=" + bytes);
  }

  private void run(Probe[] probes, int repeats) {
    for (Probe probe : probes) {
      probe.done.reset();
      probe.repeats = repeats;
      reactor.submit(probe);
    }
    for (Probe probe : probes) {
      probe.done.await();
    }
  }

  @Test
  void registeredFilesCarryTheSameBytesAndAreLetGo() throws IOException {
    assumeTrue(reactor.registerFile(descriptor) == 0);
    region.segment().set(ValueLayout.JAVA_INT, 0, 88);
    for (Probe probe : List.of(new Probe(null).write(0), new Probe(null).read(0, 9))) {
      reactor.submit(probe);
      probe.done.await();
      assertEquals(PAGE, probe.result);
    }
    assertEquals(88, region.segment().get(ValueLayout.JAVA_INT, 9L * PAGE));
    reactor.unregisterFile(descriptor);
    reactor.unregisterFile(descriptor);
    // The number now stands for another file, which is what it has to mean to the ring, too.
    LinuxFiles.close(descriptor);
    int reused =
        LinuxFiles.open(directory.resolve("other"), OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600);
    assertEquals(descriptor, reused);
    Probe read = new Probe(null).read(0, 9);
    reactor.submit(read);
    read.done.await();
    assertEquals(0, read.result, "the other file is empty");
  }

  @Test
  void aCallThatFailsIsToldAndTheReactorGoesOn() {
    Baton told = new Baton();
    List<Throwable> causes = new ArrayList<>();
    RuntimeException bug = new IllegalArgumentException("a bug");
    reactor.send(
        new LoopCall() {
          @Override
          void run() {
            throw bug;
          }

          @Override
          void refused(Throwable cause) {
            causes.add(cause);
            told.post();
          }
        });
    told.await();
    assertEquals(List.of(bug), causes);
    onReactor(() -> {});
  }
}
