package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.BitSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class LinuxThreadsTest {

  @Test
  void aThreadRunsOnlyWhereItWasTold() throws Exception {
    BitSet all = LinuxThreads.affinity();
    BitSet last = new BitSet();
    last.set(all.length() - 1);
    FutureTask<BitSet> bound =
        new FutureTask<>(
            () -> {
              LinuxThreads.setAffinity(last);
              return LinuxThreads.affinity();
            });
    Thread.ofPlatform().start(bound);
    assertEquals(last, bound.get());
    assertEquals(all, LinuxThreads.affinity(), "another thread was bound");
  }

  @Test
  void noCpuAndImpossibleCpusAreRefused() {
    ErrnoException e =
        assertThrows(ErrnoException.class, () -> LinuxThreads.setAffinity(new BitSet()));
    assertEquals(Errno.EINVAL, e.errno());
    BitSet beyond = new BitSet();
    beyond.set(8192);
    assertThrows(IllegalArgumentException.class, () -> LinuxThreads.setAffinity(beyond));
  }

  @Test
  void aVirtualThreadIsRefused() {
    FutureTask<BitSet> task = new FutureTask<>(LinuxThreads::affinity);
    Thread.ofVirtual().start(task);
    ExecutionException e = assertThrows(ExecutionException.class, task::get);
    assertInstanceOf(IllegalStateException.class, e.getCause());
  }
}
