package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.UringProbe;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs each benchmark once at a small size and checks what it returns. */
class BenchmarkSmokeTest {
  /** Where every block of the C library starts, whatever its size. */
  private static final int MALLOC_ALIGNMENT_BYTES = 16;

  @ParameterizedTest
  @ValueSource(ints = {64, 4096})
  void pair(int bytes) {
    PairBenchmark shard = pair("slabShard", bytes);
    assertNotEquals(shard.slabShard(), shard.slabShard(), "generations differ");
    shard.close();
    PairBenchmark anyThread = pair("slabAllocator", bytes);
    assertNotEquals(anyThread.slabAllocator(), anyThread.slabAllocator(), "generations differ");
    anyThread.close();
    PairBenchmark frames = pair("framePool", bytes);
    assertNotEquals(frames.framePool(), frames.framePool(), "generations differ");
    frames.close();
    assertEquals(pair("floor", bytes).floor(), pair("floor", bytes).floor());
    assertEquals(0, pair("malloc", bytes).malloc() % MALLOC_ALIGNMENT_BYTES);
    assertEquals(0, pair("mallocPlain", bytes).mallocPlain() % MALLOC_ALIGNMENT_BYTES);
    assertTrue(pair("nettyAdaptive", bytes).nettyAdaptive(), "released");
    assertTrue(pair("nettyAdaptiveShared", bytes).nettyAdaptiveShared(), "released");
    assertTrue(pair("nettyAsDefault", bytes).nettyAsDefault(), "released");
    assertTrue(pair("nettyPooled", bytes).nettyPooled(), "released");
    assertNotEquals(0, pair("confinedArena", bytes).confinedArena());
    assertNotEquals(0, pair("sharedArena", bytes).sharedArena());
    assertEquals(bytes, pair("directByteBuffer", bytes).directByteBuffer().capacity());
  }

  private static PairBenchmark pair(String method, int bytes) {
    PairBenchmark benchmark = new PairBenchmark();
    benchmark.bytes = bytes;
    benchmark.open(method);
    return benchmark;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "floor",
        "slabShard",
        "slabShardBatch",
        "slabAllocator",
        "slabAllocatorBatch",
        "malloc",
        "mallocPlain",
        "nettyAdaptive",
        "nettyPooled",
        "confinedArena"
      })
  void batchFreesWhatItAllocates(String name) throws ReflectiveOperationException {
    SharedContender shared = shared(name);
    BatchBenchmark benchmark = new TwoThreadsBenchmark();
    benchmark.open(shared, 1);
    Object from = BatchBenchmark.class.getMethod(name).invoke(benchmark);
    assertEquals(BatchBenchmark.THREAD_SLOTS, from);
    benchmark.close();
    assertTrue(shared.contender.usedBytes() <= 0, "all is free, or it cannot tell");
    shared.contender.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "floor",
        "slabShard",
        "slabAllocator",
        "malloc",
        "mallocPlain",
        "nettyAdaptive",
        "nettyAdaptiveShared",
        "nettyPooled",
        "confinedArena"
      })
  void mixed(String name) throws ReflectiveOperationException {
    SharedContender shared = shared(name);
    MixedBenchmark benchmark = new MixedBenchmark();
    benchmark.open(shared);
    int slot = (int) MixedBenchmark.class.getMethod(name).invoke(benchmark);
    assertTrue(slot >= 0 && slot < benchmark.live);
    benchmark.close();
    assertTrue(shared.contender.usedBytes() <= 0, "all is free, or it cannot tell");
    shared.contender.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "floor",
        "slabShard",
        "slabShardBatch",
        "slabAllocator",
        "slabAllocatorBatch",
        "malloc",
        "nettyAdaptive",
        "nettyPooled"
      })
  void remoteFree(String name) {
    SharedContender shared = shared(name);
    RemoteFreeBenchmark.Ring ring = new RemoteFreeBenchmark.Ring();
    ring.open(shared);
    RemoteFreeBenchmark.Side allocating = new RemoteFreeBenchmark.Side();
    allocating.open(ring);
    RemoteFreeBenchmark.Side freeing = new RemoteFreeBenchmark.Side();
    freeing.open(ring);
    for (int round = 0; round < 2; round++) {
      for (int batch = 0; batch < RemoteFreeBenchmark.BATCHES; batch++) {
        assertTrue(ring.allocate(allocating.slots));
      }
      assertEquals(false, ring.allocate(allocating.slots), "the ring is full");
      for (int batch = 0; batch < RemoteFreeBenchmark.BATCHES; batch++) {
        assertTrue(ring.free(freeing.slots));
      }
      assertEquals(false, ring.free(freeing.slots), "the ring is empty");
    }
    allocating.close();
    freeing.close();
    assertTrue(shared.contender.usedBytes() <= 0, "all is free, or it cannot tell");
    shared.contender.close();
  }

  private static SharedContender shared(String name) {
    SharedContender shared = new SharedContender();
    shared.open(name);
    return shared;
  }

  @Test
  void bump() {
    // An even number of neighbours, so exclusive or leaves the differences within the block.
    assertEquals(bump("floor").floor(), bump("floor").floor());
    BumpBenchmark ours = bump("bumpArena");
    assertEquals(ours.bumpArena(), ours.bumpArena(), "reset allocates the same again");
    assertEquals(ours.bumpArena(), ours.bumpArenaAligned());
    assertEquals(ours.bumpArena(), ours.bumpArenaSegment());
    ours.close();
    BumpBenchmark slices = bump("slicingAllocator");
    assertEquals(slices.slicingAllocator(), slices.slicingAllocator());
    slices.close();
    assertEquals(0, bump("malloc").malloc() % MALLOC_ALIGNMENT_BYTES);
    assertEquals(0, bump("mallocPair").mallocPair() % MALLOC_ALIGNMENT_BYTES);
    assertEquals(0, bump("confinedArena").confinedArena() % Long.BYTES);
  }

  private static BumpBenchmark bump(String method) {
    BumpBenchmark benchmark = new BumpBenchmark();
    benchmark.open(method);
    return benchmark;
  }

  @Test
  void concurrentBump() {
    ConcurrentBumpBenchmark benchmark = new ConcurrentBumpBenchmark();
    benchmark.open("concurrentBumpArena");
    long first = benchmark.concurrentBumpArena();
    assertEquals(first + ConcurrentBumpBenchmark.BYTES, benchmark.concurrentBumpArena());
    assertEquals(first + 2 * ConcurrentBumpBenchmark.BYTES, benchmark.concurrentBumpArenaAligned());
    benchmark.close();
    benchmark.open("slicingAllocatorLocked");
    long slice = benchmark.slicingAllocatorLocked();
    assertEquals(slice + ConcurrentBumpBenchmark.BYTES, benchmark.slicingAllocatorLocked());
    benchmark.close();
    assertEquals(ConcurrentBumpBenchmark.BYTES, benchmark.floor() + ConcurrentBumpBenchmark.BYTES);
    assertEquals(0, benchmark.mallocPair() % MALLOC_ALIGNMENT_BYTES);
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 4096, 65536})
  void zeroed(int bytes) {
    ZeroedBenchmark floor = zeroed("floor", bytes);
    assertEquals(0, Malloc.read(floor.floor()));
    floor.close();
    ZeroedBenchmark slabs = zeroed("slabShard", bytes);
    assertNotEquals(slabs.slabShard(), slabs.slabShard(), "generations differ");
    slabs.close();
    ZeroedBenchmark bump = zeroed("bumpArena", bytes);
    long address = bump.bumpArena();
    Malloc.touch(address);
    assertEquals(address, bump.bumpArena(), "reset allocates the same again");
    assertEquals(0, Malloc.read(address), "and clears it");
    bump.close();
    assertEquals(0, zeroed("calloc", bytes).calloc() % MALLOC_ALIGNMENT_BYTES);
    assertTrue(zeroed("nettyAdaptive", bytes).nettyAdaptive(), "released");
    assertTrue(zeroed("nettyPooled", bytes).nettyPooled(), "released");
    assertNotEquals(0, zeroed("confinedArena", bytes).confinedArena());
    assertEquals(bytes, zeroed("directByteBuffer", bytes).directByteBuffer().capacity());
  }

  private static ZeroedBenchmark zeroed(String method, int bytes) {
    ZeroedBenchmark benchmark = new ZeroedBenchmark();
    benchmark.bytes = bytes;
    benchmark.open(method);
    return benchmark;
  }

  @Test
  void pageRead(@TempDir Path directory) throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    PageReadBenchmark benchmark = new PageReadBenchmark();
    benchmark.directory = directory.toString();
    benchmark.fileMebibytes = 4;
    benchmark.open();
    try {
      long batchBytes = (long) PageReadBenchmark.DEPTH * PageReadBenchmark.PAGE_BYTES;
      assertEquals(batchBytes, benchmark.uringBatch());
      assertEquals(batchBytes, benchmark.poolBatch());
      assertEquals(PageReadBenchmark.PAGE_BYTES, benchmark.single());
      assertEquals(PageReadBenchmark.PAGE_BYTES, benchmark.fileChannel());
    } finally {
      benchmark.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reactor", "virtual"})
  void task(String fibers) throws Exception {
    TaskBenchmark benchmark = new TaskBenchmark();
    benchmark.fibers = fibers;
    benchmark.open();
    try {
      long each = TaskBenchmark.TASKS / TaskBenchmark.WIDTH;
      assertEquals(each, benchmark.direct());
      assertEquals(each, benchmark.fiber());
      assertEquals(each, benchmark.forkJoin());
    } finally {
      benchmark.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reactor", "virtual"})
  void handOff(String fibers) throws Exception {
    HandOffBenchmark benchmark = new HandOffBenchmark();
    benchmark.fibers = fibers;
    benchmark.open();
    try {
      assertEquals(HandOffBenchmark.HAND_OFFS / 2, benchmark.baton());
      assertEquals(HandOffBenchmark.HAND_OFFS / 2, benchmark.baton(), "it can be done again");
      assertEquals(HandOffBenchmark.HAND_OFFS / 2, benchmark.virtualThread());
      assertEquals(HandOffBenchmark.THREAD_HAND_OFFS / 2, benchmark.platformThread());
    } finally {
      benchmark.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reactor", "virtual"})
  void crossShard(String fibers) throws Exception {
    CrossShardBenchmark benchmark = new CrossShardBenchmark();
    benchmark.fibers = fibers;
    benchmark.open();
    try {
      assertEquals(CrossShardBenchmark.QUESTIONS, benchmark.direct());
      assertEquals(CrossShardBenchmark.QUESTIONS, benchmark.fiber());
      assertEquals(CrossShardBenchmark.QUESTIONS, benchmark.executor());
      assertEquals(CrossShardBenchmark.QUESTIONS, benchmark.completableFuture());
      assertEquals(CrossShardBenchmark.QUESTIONS, benchmark.virtualThread());
    } finally {
      benchmark.close();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "optimistic",
        "optimisticSegment",
        "shared",
        "exclusive",
        "block",
        "blockOptimistic",
        "optimisticOwn",
        "sharedOwn",
        "concurrentHashMap",
        "caffeine"
      })
  void poolHit(String name) throws Exception {
    PoolHitBenchmark.Pages pages = new PoolHitBenchmark.Pages();
    pages.open(name);
    PoolHitBenchmark.Visitor visitor = new PoolHitBenchmark.Visitor();
    visitor.open(pages, name);
    Method method =
        PoolHitBenchmark.class.getMethod(
            name, PoolHitBenchmark.Pages.class, PoolHitBenchmark.Visitor.class);
    for (int i = 0; i < 100; i++) {
      long number = (long) method.invoke(new PoolHitBenchmark(), pages, visitor);
      assertEquals(visitor.visited(), number, "the page that was looked for");
    }
    visitor.close();
    pages.close();
  }

  @Test
  void logAppend() throws Exception {
    LogAppendBenchmark benchmark = new LogAppendTwoThreadsBenchmark();
    LogAppendBenchmark.Log log = new LogAppendBenchmark.Log();
    LogAppendBenchmark.Writer writer = new LogAppendBenchmark.Writer();
    log.open();
    writer.open();
    long first = benchmark.append(log, writer);
    assertTrue(benchmark.append(log, writer) >= first + writer.bytes);
    assertNotEquals(0, benchmark.copyAndChecksum(writer));
    writer.close();
    log.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"store", "skiplist", "heap"})
  void memtable(String candidate) {
    MemtableBenchmark benchmark = new MemtableBenchmark();
    benchmark.candidate = candidate;
    benchmark.open(1_000);
    for (int i = 0; i < 1_000; i++) {
      assertEquals((byte) benchmark.get(), (byte) benchmark.visited());
      assertEquals((byte) benchmark.seek(), (byte) benchmark.visited());
    }
    assertEquals(1_000, benchmark.next());
    assertEquals(0, benchmark.insert());
    benchmark.close();
  }

  @Test
  void filter() {
    FilterBenchmark benchmark = new FilterBenchmark();
    benchmark.open();
    assertEquals(FilterBenchmark.PROBES, benchmark.present());
    assertTrue(benchmark.absent() < FilterBenchmark.PROBES / 50, "false positives");
    assertEquals(benchmark.absent(), benchmark.absentWithHash());
    benchmark.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {4096, 32768})
  void blockSearch(int blockBytes) {
    BlockSearchBenchmark benchmark = new BlockSearchBenchmark();
    benchmark.blockBytes = blockBytes;
    benchmark.open();
    for (int i = 0; i < 100; i++) {
      assertEquals(benchmark.block(), benchmark.visited());
      assertEquals(benchmark.arrays(), benchmark.visited());
    }
    benchmark.close();
  }

  @Test
  void feeds() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    FeedReport report = new FeedReport(2, 2, 500);
    report.measure();
    List<Comparison> comparisons = report.comparisons();
    assertEquals(6, comparisons.size());
    for (Comparison comparison : comparisons) {
      assertTrue(comparison.ours() > 0 && comparison.theirs() > 0, comparison::toJson);
      assertEquals(2, comparison.repeats());
    }
  }
}
