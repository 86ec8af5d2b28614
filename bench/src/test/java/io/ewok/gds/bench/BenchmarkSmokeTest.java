package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.UringProbe;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs each benchmark once at a small size and checks what it returns. */
class BenchmarkSmokeTest {
  @Test
  void allocation() {
    AllocationBenchmark benchmark = new AllocationBenchmark();
    benchmark.open();
    try {
      assertNotEquals(benchmark.framePool(), benchmark.framePool(), "generations differ");
      assertEquals(0, benchmark.confinedArena() % 64);
      assertEquals(AllocationBenchmark.FRAME_BYTES, benchmark.directByteBuffer().capacity());
      long first = benchmark.bumpArena();
      assertEquals(first + AllocationBenchmark.SMALL_BYTES, benchmark.bumpArena());
    } finally {
      benchmark.close();
    }
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
}
