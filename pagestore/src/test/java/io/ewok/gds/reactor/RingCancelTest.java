package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxFiles;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class RingCancelTest {
  private static final int DEPTH = 2;
  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private Region region;
  private Reactor reactor;
  private int counter = -1;

  @BeforeEach
  void open() throws IOException {
    reactor = ReactorFixture.start(DEPTH);
    region = Region.map(budget, RegionOptions.ofSize(4096));
    counter = LinuxFiles.eventfd(0, 0);
  }

  @AfterEach
  void close() throws IOException {
    if (reactor != null) {
      reactor.close();
      LinuxFiles.close(counter);
      region.close();
    }
  }

  /** A read of an event counter: lasts until somebody raises it. */
  private final class Read extends RingOperation {
    final Baton done = new Baton();
    int ended;
    int last;

    Read(int place) {
      prepare(place);
    }

    private void prepare(int place) {
      prepareRead(counter, 0, RingCancelTest.this.region, 8L * place, 8);
    }

    @Override
    protected boolean completed(int result) {
      last = result;
      ended++;
      done.post();
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {
      last = Integer.MIN_VALUE;
      ended++;
      done.post();
    }
  }

  @Test
  void whatTheKernelHasAndWhatWaitsBothEnd() {
    List<Read> reads = new ArrayList<>();
    for (int i = 0; i < 4 * DEPTH; i++) {
      reads.add(new Read(i));
      reactor.submit(reads.getLast());
    }
    Read waiting = reads.getLast();
    reactor.cancel(waiting);
    waiting.done.await();
    assertEquals(-Errno.ECANCELED, waiting.last);
    assertFalse(reads.getFirst().done.isPosted());
    for (Read read : reads) {
      if (read != waiting) {
        reactor.cancel(read);
        read.done.await();
        assertEquals(-Errno.ECANCELED, read.last);
      }
    }
    ReactorFixture.on(reactor, () -> {}); // places are given back at the end of a turn
    assertEquals(0, reactor.overflow.count());
  }

  @Test
  void oneThatHasEndedIsNotTouchedAndTheNextUseIsNotCancelled() throws IOException {
    Read read = new Read(0);
    reactor.submit(read);
    LinuxFiles.eventfdWrite(counter, 5);
    read.done.await();
    reactor.cancel(read);
    ReactorFixture.on(reactor, () -> {});
    read.done.reset();
    read.prepare(0);
    reactor.submit(read);
    LinuxFiles.eventfdWrite(counter, 7);
    read.done.await();
    assertEquals(8, read.last);
    assertEquals(2, read.ended);
    assertEquals(7, region.segment().get(ValueLayout.JAVA_LONG, 0));
  }

  @Test
  void cancelThatRacesWithTheEndLosesNothing() throws IOException {
    long seed = 99;
    SplittableRandom random = new SplittableRandom(seed);
    long raised = 0;
    long read = 0;
    Read operation = new Read(0);
    int cancelled = 0;
    for (int i = 0; i < 3000; i++) {
      operation.done.reset();
      operation.prepare(0);
      reactor.submit(operation);
      for (int spin = random.nextInt(2000); spin > 0; spin--) {
        Thread.onSpinWait();
      }
      LinuxFiles.eventfdWrite(counter, 1);
      raised++;
      for (int spin = random.nextInt(100); spin > 0; spin--) {
        Thread.onSpinWait();
      }
      reactor.cancel(operation);
      operation.done.await();
      assertEquals(i + 1, operation.ended, "seed=" + seed);
      if (operation.last == 8) {
        read += region.segment().get(ValueLayout.JAVA_LONG, 0);
      } else {
        assertEquals(-Errno.ECANCELED, operation.last, "seed=" + seed);
        cancelled++;
      }
    }
    if (read < raised) {
      read += LinuxFiles.eventfdRead(counter);
    }
    assertEquals(raised, read, "seed=" + seed + " cancelled=" + cancelled);
    assertTrue(cancelled < 3000);
  }
}
