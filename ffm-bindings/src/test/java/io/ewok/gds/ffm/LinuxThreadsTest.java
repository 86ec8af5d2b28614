package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
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
              assertEquals(all.length() - 1, LinuxThreads.currentCpu());
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
  void aThreadIsOnTheNodeOfItsCpu() throws Exception {
    FutureTask<Integer> node =
        new FutureTask<>(
            () -> {
              BitSet one = new BitSet();
              one.set(LinuxThreads.affinity().nextSetBit(0));
              LinuxThreads.setAffinity(one);
              return LinuxThreads.currentNode();
            });
    Thread.ofPlatform().start(node);
    Path cpu = Path.of("/sys/devices/system/cpu/cpu" + LinuxThreads.affinity().nextSetBit(0));
    assumeTrue(Files.isDirectory(cpu));
    if (Files.isDirectory(Path.of("/sys/devices/system/node"))) {
      assertTrue(Files.exists(cpu.resolve("node" + node.get())), "node=" + node.get());
    } else {
      assertEquals(0, node.get());
    }
  }

  @Test
  void aVirtualThreadIsRefused() {
    FutureTask<BitSet> task = new FutureTask<>(LinuxThreads::affinity);
    Thread.ofVirtual().start(task);
    ExecutionException e = assertThrows(ExecutionException.class, task::get);
    assertInstanceOf(IllegalStateException.class, e.getCause());
  }

  private static final class Loop extends Thread implements EventThread {
    private final BlockingQueue<Boolean> mayBlock = new LinkedBlockingQueue<>();
    private boolean turning;

    @Override
    public boolean turning() {
      return turning;
    }

    @Override
    public void run() {
      mayBlock.add(LinuxThreads.mayBlock());
      turning = true;
      mayBlock.add(LinuxThreads.mayBlock());
      turning = false;
      mayBlock.add(LinuxThreads.mayBlock());
    }
  }

  @Test
  void virtualThreadsAndTurningLoopsMayNotBlock() throws Exception {
    assertTrue(LinuxThreads.mayBlock());
    Loop loop = new Loop();
    loop.start();
    loop.join();
    assertEquals(List.of(true, false, true), List.copyOf(loop.mayBlock));
    FutureTask<Boolean> virtual = new FutureTask<>(LinuxThreads::mayBlock);
    Thread.ofVirtual().start(virtual);
    assertFalse(virtual.get());
  }
}
