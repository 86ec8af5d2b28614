package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxFiles;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class LostRingTest {
  private final AtomicReference<IOException> loss = new AtomicReference<>();

  /** A ring whose calls fail from some moment on. */
  private LoopDriver open(RingOptions options) throws IOException {
    LoopDriver ring = RingDriver.open(options);
    return (LoopDriver)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {LoopDriver.class},
            (proxy, method, arguments) -> {
              if (method.getName().startsWith("flush") && loss.get() != null) {
                throw loss.getAndSet(null);
              }
              try {
                return method.invoke(ring, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** A read of an event counter that nobody raises. */
  private static final class Read extends RingOperation {
    final Baton done = new Baton();
    Throwable cause;
    boolean memory;

    Read(int descriptor, Region region) {
      prepareRead(descriptor, 0, region, 0, 8);
    }

    @Override
    protected boolean completed(int result) {
      done.post();
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {
      this.cause = cause;
      memory = memoryInUse;
      done.post();
    }
  }

  @Test
  void everybodyIsToldAndMemoryUnderTheKernelStaysOutOfUse() throws IOException {
    int counter = LinuxFiles.eventfd(0, 0);
    Region region = Region.map(MemoryBudget.root("test", 1 << 20), RegionOptions.ofSize(4096));
    Reactor reactor =
        Reactor.start(
            ReactorFixture.options(2), started -> new LoopWork.None(started.thread()), this::open);
    List<Read> reads = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      reads.add(new Read(counter, region));
      reactor.submit(reads.getLast());
    }
    ReactorFixture.on(reactor, () -> {});
    IOException lost = new IOException("the ring is lost");
    loss.set(lost);
    reactor.wakeUp();
    for (int i = 0; i < 5; i++) {
      Read read = reads.get(i);
      read.done.await();
      assertSame(lost, read.cause);
      assertEquals(i < 2, read.memory, "i=" + i);
    }
    assertThrows(IllegalStateException.class, () -> reactor.submit(new Read(counter, region)));
    reactor.close();
    assertFalse(reactor.thread().isAlive());
  }
}
