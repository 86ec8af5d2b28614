package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.PreparedOperation;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel is asked for a request, and then: the kernel is played. */
class RingTransferTest {
  private static final int PART = TransferProgress.CALL_BYTES_MAX;
  private static final int LENGTH = 2 * PART + 4096;

  private final Region region =
      Region.map(MemoryBudget.root("test", 2 * LENGTH), RegionOptions.ofSize(LENGTH));
  private final IoRequest request = new IoRequest();
  private UringEngine engine;
  private LinuxFile file;
  private boolean started;

  @TempDir Path directory;

  @BeforeEach
  void needsTheRing() {
    assumeTrue(UringProbe.probe().supported());
  }

  @AfterEach
  void close() throws IOException {
    if (engine != null) {
      if (started && !request.isDone()) {
        engine.fail(request, new IOException("the test has failed"));
      }
      engine.close();
    }
    region.close();
  }

  private void open(SyncMethod method) throws IOException {
    engine =
        (UringEngine)
            IoEngines.open(
                EngineOptions.defaults().withWanted(EngineKind.URING).withSyncMethod(method));
    file = (LinuxFile) engine.open(directory.resolve("data"), OpenMode.CREATE_NEW);
    assumeTrue(file.isDirect(), "only past the page cache");
  }

  /** As the engine does with a request, up to the ring. */
  private RingTransfer start() {
    request.begin();
    file.enter();
    request.lease();
    started = true;
    RingTransfer transfer = request.ringTransfer();
    transfer.start(engine, engine.reactors().getFirst());
    return transfer;
  }

  private static void assertNext(RingTransfer transfer, int result, long offset, int length) {
    assertTrue(PreparedOperation.complete(transfer, result));
    assertEquals(offset, PreparedOperation.of(transfer).offset());
    assertEquals(length, PreparedOperation.of(transfer).length());
  }

  @Test
  void writeThroughIsAskedForInEveryPart() throws IOException {
    open(SyncMethod.DSYNC);
    request.prepareWrite(file, 0, region, 0, LENGTH).synced();
    RingTransfer transfer = start();
    assertEquals(
        new PreparedOperation(false, 0, PART, LinuxFiles.RWF_DSYNC),
        PreparedOperation.of(transfer));
    assertNext(transfer, PART, PART, PART);
    assertNext(transfer, 8192, PART + 8192, PART - 4096);
    assertEquals(LinuxFiles.RWF_DSYNC, PreparedOperation.of(transfer).flags());
    assertFalse(request.isDone());
    assertFalse(PreparedOperation.complete(transfer, PART - 4096));
    assertEquals(LENGTH, request.await());
  }

  @Test
  void syncComesAfterTheLastPart() throws IOException {
    open(SyncMethod.FDATASYNC);
    request.prepareWrite(file, 0, region, 0, LENGTH).synced();
    RingTransfer transfer = start();
    assertEquals(new PreparedOperation(false, 0, PART, 0), PreparedOperation.of(transfer));
    assertNext(transfer, PART, PART, PART);
    assertNext(transfer, PART, 2L * PART, 4096);
    assertTrue(PreparedOperation.complete(transfer, 4096));
    assertTrue(PreparedOperation.of(transfer).sync());
    assertFalse(request.isDone());
    assertFalse(PreparedOperation.complete(transfer, 0));
    assertEquals(LENGTH, request.await());
  }

  @Test
  void syncComesAfterAWriteThroughThatIsRefused() throws IOException {
    open(SyncMethod.DSYNC);
    request.prepareWrite(file, 0, region, 0, 4096).synced();
    RingTransfer transfer = start();
    assertNext(transfer, -Errno.EOPNOTSUPP, 0, 4096);
    assertEquals(0, PreparedOperation.of(transfer).flags());
    assertTrue(PreparedOperation.complete(transfer, 4096));
    assertTrue(PreparedOperation.of(transfer).sync());
    assertFalse(PreparedOperation.complete(transfer, 0));
    assertEquals(4096, request.await());
  }

  @Test
  void piecesGoOnWhereTheKernelStopped() throws IOException {
    open(SyncMethod.AUTO);
    int pieces = LENGTH / 4096;
    long[] at = new long[pieces];
    for (int i = 0; i < pieces; i++) {
      at[i] = (long) (pieces - 1 - i) * 4096;
    }
    request.prepareRead(file, 0, region, at, 0, pieces, 4096);
    RingTransfer transfer = start();
    assertEquals(PART / 4096, PreparedOperation.of(transfer).length(), "pieces");
    assertNext(transfer, 10 * 4096, 10 * 4096, PART / 4096);
    assertNext(transfer, PART, PART + 10 * 4096, pieces - 10 - PART / 4096);
    assertFalse(PreparedOperation.complete(transfer, LENGTH - PART - 10 * 4096));
    assertEquals(LENGTH, request.await());
  }
}
