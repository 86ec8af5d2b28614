package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What every engine does. Subclasses say which engine, and add what only theirs has. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
abstract class EngineConformanceTest {
  static final int UNIT = 4096; // a multiple of every engine's alignment here
  private static final int REGION_BYTES = 1 << 20;

  final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
  IoEngine engine;
  Region region;
  Path directory;

  abstract IoEngine openEngine() throws IOException;

  /** An existing directory that this test has for itself. */
  abstract Path emptyDirectory() throws IOException;

  @BeforeEach
  void open() throws IOException {
    engine = openEngine();
    directory = emptyDirectory();
    region = Region.map(budget, RegionOptions.ofSize(REGION_BYTES));
  }

  @AfterEach
  void close() throws IOException {
    if (engine == null) {
      return; // not available here
    }
    engine.close();
    region.close(); // fails if an operation forgot its lease
    assertEquals(0, budget.usedBytes());
  }

  // ---------------------------------------------------------------- verbs

  IoFile create(String name) throws IOException {
    return engine.open(directory.resolve(name), OpenMode.CREATE_NEW);
  }

  void fill(long regionOffset, int length, int value) {
    region.segment().asSlice(regionOffset, length).fill((byte) value);
  }

  byte[] bytes(long regionOffset, int length) {
    return region.segment().asSlice(regionOffset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  /** Waits until something was told. */
  void await(CountDownLatch over) throws InterruptedException {
    over.await();
  }

  /** Runs a task on many threads at once; the first failure is thrown. */
  static void onThreads(boolean virtual, int count, IntFunction<IoTask> task) throws Exception {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      IoTask mine = task.apply(i);
      Thread.Builder builder = virtual ? Thread.ofVirtual() : Thread.ofPlatform();
      threads.add(
          builder.start(
              () -> {
                try {
                  mine.run();
                } catch (Throwable e) {
                  failure.compareAndSet(null, e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    if (failure.get() != null) {
      throw new AssertionError("a thread failed: virtual=" + virtual, failure.get());
    }
  }

  /** Work of a test thread. */
  @FunctionalInterface
  interface IoTask {
    void run() throws Exception;
  }

  // ---------------------------------------------------------------- transfers

  @Test
  void randomOperationsAgreeWithAnArray() throws IOException {
    long seed = 20260101;
    SplittableRandom random = new SplittableRandom(seed);
    byte[] model = new byte[0];
    int unitsMax = 40;
    IoRequest request = new IoRequest();
    try (IoFile file = create("data")) {
      for (int step = 0; step < 600; step++) {
        String where = "seed=" + seed + " step=" + step;
        int offset = random.nextInt(unitsMax) * UNIT;
        int length = (1 + random.nextInt(8)) * UNIT;
        boolean submitted = random.nextBoolean();
        switch (random.nextInt(10)) {
          case 0 -> file.sync();
          case 1 -> {
            int size = random.nextInt(unitsMax * UNIT);
            if (step % 3 == 0) {
              file.truncate(size);
              model = Arrays.copyOf(model, size);
            } else {
              file.preallocate(offset, length);
              model = Arrays.copyOf(model, Math.max(model.length, offset + length));
            }
          }
          case 2, 3, 4, 5 -> {
            byte[] content = new byte[length];
            random.nextBytes(content);
            MemorySegment.copy(content, 0, region.segment(), ValueLayout.JAVA_BYTE, UNIT, length);
            if (submitted) {
              engine.submit(request.prepareWrite(file, offset, region, UNIT, length));
              assertEquals(length, request.await(), where);
            } else {
              file.write(offset, region, UNIT, length);
            }
            if (model.length < offset + length) {
              model = Arrays.copyOf(model, offset + length);
            }
            System.arraycopy(content, 0, model, offset, length);
          }
          default -> {
            fill(0, length, 0xEE);
            int count;
            if (submitted) {
              engine.submit(request.prepareRead(file, offset, region, 0, length));
              count = request.await();
            } else {
              count = file.read(offset, region, 0, length);
            }
            int expected = Math.max(0, Math.min(length, model.length - offset));
            assertEquals(expected, count, where);
            byte[] content =
                expected == 0 ? new byte[0] : Arrays.copyOfRange(model, offset, offset + expected);
            assertArrayEquals(content, bytes(0, count), where);
          }
        }
        assertEquals(model.length, file.sizeBytes(), where);
      }
    }
  }

  /** Chooses where pieces are, one after the other or not. */
  private static long[] scatter(SplittableRandom random, int count, int pieceBytes, int places) {
    List<Integer> free = new ArrayList<>();
    for (int i = 0; i < places; i++) {
      free.add(i);
    }
    long[] offsets = new long[count];
    for (int i = 0; i < count; i++) {
      int chosen = random.nextInt(4) == 0 ? 0 : random.nextInt(free.size());
      offsets[i] = (long) free.remove(chosen) * pieceBytes;
    }
    return offsets;
  }

  @Test
  void piecesOfMemoryAreTransferredInTheirOrder() throws IOException {
    long seed = 20260102;
    SplittableRandom random = new SplittableRandom(seed);
    IoRequest request = new IoRequest();
    byte[] model = new byte[300 * UNIT];
    try (IoFile file = create("data")) {
      file.truncate(model.length);
      for (int step = 0; step < 60; step++) {
        String where = "seed=" + seed + " step=" + step;
        int pieceBytes = UNIT << random.nextInt(3);
        int places = REGION_BYTES / pieceBytes;
        int count = 1 + random.nextInt(step % 10 == 0 ? places : Math.min(places, 12));
        int length = count * pieceBytes;
        int offset = random.nextInt(model.length / UNIT - length / UNIT + 1) * UNIT;
        long[] at = scatter(random, count, pieceBytes, places);
        boolean synced = random.nextInt(4) == 0;
        byte[] content = new byte[length];
        random.nextBytes(content);
        System.arraycopy(content, 0, model, offset, length);
        for (int i = 0; i < count; i++) {
          MemorySegment.copy(
              model,
              offset + i * pieceBytes,
              region.segment(),
              ValueLayout.JAVA_BYTE,
              at[i],
              pieceBytes);
        }
        request.prepareWrite(file, offset, region, at, 0, count, pieceBytes);
        engine.submit(synced ? request.synced() : request);
        assertEquals(length, request.await(), where);

        region.segment().fill((byte) 0);
        long[] other = scatter(random, count, pieceBytes, places);
        long[] array = new long[count + 3];
        System.arraycopy(other, 0, array, 2, count);
        request.prepareRead(file, offset, region, array, 2, count, pieceBytes);
        Arrays.fill(array, -1);
        engine.submit(request);
        assertEquals(length, request.await(), where);
        for (int i = 0; i < count; i++) {
          byte[] expected =
              Arrays.copyOfRange(model, offset + i * pieceBytes, offset + (i + 1) * pieceBytes);
          assertArrayEquals(expected, bytes(other[i], pieceBytes), where + " piece=" + i);
        }
      }
      file.truncate(3L * UNIT);
      long[] apart = {0, 2L * UNIT, 4L * UNIT, 6L * UNIT};
      engine.submit(request.prepareRead(file, UNIT, region, apart, 0, 4, UNIT));
      assertEquals(2 * UNIT, request.await(), "the end of the file");
      assertArrayEquals(
          Arrays.copyOfRange(model, 2 * UNIT, 3 * UNIT), bytes(2L * UNIT, UNIT), "last piece");
    }
  }

  @Test
  void badPiecesAreRefused() throws IOException {
    try (IoFile file = create("data")) {
      IoRequest request = new IoRequest();
      long[] at = {0, UNIT, REGION_BYTES, 1};
      for (int[] bad :
          new int[][] {{0, 0, UNIT}, {0, 2, 0}, {0, 2, -UNIT}, {0, 3, UNIT}, {2, 2, UNIT}}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> request.prepareRead(file, 0, region, at, bad[0], bad[1], bad[2]),
            Arrays.toString(bad));
        assertThrows(
            IllegalArgumentException.class,
            () -> request.prepareWrite(file, 0, region, at, bad[0], bad[1], bad[2]),
            Arrays.toString(bad));
      }
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> request.prepareRead(file, 0, region, at, 0, 5, UNIT));
      request.prepareWrite(file, 0, region, at, 0, 2, UNIT);
      assertThrows(IllegalArgumentException.class, request::atomic);
      assertEquals(2, request.pieces());
      assertEquals(UNIT, request.regionOffset(1));
    }
  }

  @Test
  void longTransfersAreDoneWhole() throws Exception {
    int length = 3 << 20;
    byte[] content = new byte[length];
    new SplittableRandom(7).nextBytes(content);
    Region large = Region.map(budget, RegionOptions.ofSize(length));
    try (IoFile file = create("data")) {
      IoRequest request = new IoRequest();
      MemorySegment memory = large.segment();
      MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, length);
      engine.submit(request.prepareWrite(file, UNIT, large, 0, length).synced());
      assertEquals(length, request.await());
      memory.fill((byte) 0);
      engine.submit(request.prepareRead(file, UNIT, large, 0, length));
      assertEquals(length, request.await());
      assertArrayEquals(content, memory.toArray(ValueLayout.JAVA_BYTE));

      // Two pieces, each longer than what the kernel is given at once.
      int half = length / 2;
      engine.submit(
          request.prepareWrite(file, 0, large, new long[] {half, 0}, 0, 2, half).synced());
      assertEquals(length, request.await());
      memory.fill((byte) 0);
      onThreads(true, 1, i -> () -> file.readFully(0, large, 0, length));
      assertArrayEquals(
          Arrays.copyOfRange(content, half, length),
          memory.asSlice(0, half).toArray(ValueLayout.JAVA_BYTE));
      assertArrayEquals(
          Arrays.copyOf(content, half), memory.asSlice(half, half).toArray(ValueLayout.JAVA_BYTE));
      file.truncate(length - UNIT / 2);
      engine.submit(request.prepareRead(file, 0, large, 0, length));
      assertEquals(length - UNIT / 2, request.await(), "the end of the file");
    } finally {
      large.close();
    }
  }

  @Test
  void readEndsAtTheEndOfTheFile() throws IOException {
    try (IoFile file = create("data")) {
      fill(0, UNIT, 7);
      file.write(0, region, 0, UNIT);
      assertEquals(UNIT, file.read(0, region, 0, 4 * UNIT));
      assertEquals(0, file.read(UNIT, region, 0, UNIT));
      assertEquals(0, file.read(100L * UNIT, region, 0, UNIT));
      assertEquals(0, file.read(0, region, 0, 0));
      file.truncate(700);
      assertEquals(700, file.read(0, region, 0, UNIT));
      EOFException e = assertThrows(EOFException.class, () -> file.readFully(0, region, 0, UNIT));
      assertTrue(e.getMessage().endsWith("available=700"), e.getMessage());
    }
  }

  @Test
  void contentSurvivesReopening() throws IOException {
    try (IoFile file = create("data")) {
      fill(0, UNIT, 9);
      file.write(3L * UNIT, region, 0, UNIT);
      file.sync();
    }
    try (IoFile file = engine.open(directory.resolve("data"), OpenMode.READ_ONLY)) {
      assertEquals(4L * UNIT, file.sizeBytes());
      file.readFully(2L * UNIT, region, 0, 2 * UNIT);
      assertArrayEquals(filled(UNIT, 0), bytes(0, UNIT));
      assertArrayEquals(filled(UNIT, 9), bytes(UNIT, UNIT));
    }
  }

  @Test
  void badArgumentsAreRefusedBeforeAnythingStarts() throws IOException {
    try (IoFile file = create("data")) {
      int half = file.alignmentBytes() / 2;
      List<long[]> bad =
          List.of(
              new long[] {half, 0, UNIT},
              new long[] {0, half, UNIT},
              new long[] {0, 0, half},
              new long[] {-UNIT, 0, UNIT},
              new long[] {0, -UNIT, UNIT},
              new long[] {0, 0, -UNIT},
              new long[] {0, REGION_BYTES, UNIT},
              new long[] {0, 0, REGION_BYTES + UNIT},
              new long[] {Long.MAX_VALUE - UNIT + 1, 0, UNIT});
      for (long[] a : bad) {
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () -> file.read(a[0], region, a[1], (int) a[2]),
                Arrays.toString(a));
        assertTrue(e.getMessage().endsWith("length=" + a[2]), e.getMessage());
        assertThrows(
            IllegalArgumentException.class, () -> file.write(a[0], region, a[1], (int) a[2]));
        assertThrows(
            IllegalArgumentException.class,
            () -> new IoRequest().prepareRead(file, a[0], region, a[1], (int) a[2]));
      }
      assertThrows(IllegalArgumentException.class, () -> file.truncate(-1));
      assertThrows(IllegalArgumentException.class, () -> file.preallocate(-1, 1));
      assertEquals(0, file.sizeBytes());
    }
  }

  @Test
  void batchRunsEveryRequest() throws IOException {
    int count = 200; // more than any queue holds
    IoRequest[] requests = new IoRequest[count + 5];
    try (IoFile file = create("data")) {
      for (int i = 0; i < count; i++) {
        long at = i * 512L * 8;
        region.segment().set(ValueLayout.JAVA_INT, at, i + 1);
        requests[i] = new IoRequest().prepareWrite(file, at, region, at, UNIT);
      }
      engine.submitAll(requests, count);
      for (int i = 0; i < count; i++) {
        assertEquals(UNIT, requests[i].await());
      }
      region.segment().fill((byte) 0);
      for (int i = 0; i < count; i++) {
        requests[i].prepareRead(file, (long) i * UNIT, region, (long) i * UNIT, UNIT);
      }
      engine.submitAll(requests, count);
      for (int i = 0; i < count; i++) {
        assertEquals(UNIT, requests[i].await());
        assertTrue(requests[i].isDone());
        assertEquals(i + 1, region.segment().get(ValueLayout.JAVA_INT, (long) i * UNIT));
      }
      assertEquals(count, engine.stats().reads());
      assertEquals(count, engine.stats().writes());
      assertEquals((long) count * UNIT, engine.stats().bytesRead());
      assertEquals((long) count * UNIT, engine.stats().bytesWritten());
    }
  }

  @Test
  void batchStartsWholeOrNotAtAll() throws IOException {
    try (IoFile file = create("data")) {
      IoRequest good = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
      IoRequest unprepared = new IoRequest();
      assertThrows(
          RuntimeException.class, () -> engine.submitAll(new IoRequest[] {good, unprepared}, 2));
      assertEquals(0, file.sizeBytes());
      engine.submit(good);
      assertEquals(UNIT, good.await());
    }
  }

  @Test
  void callsOutOfOrderAreRefused() throws IOException {
    try (IoFile file = create("data");
        IoEngine other = openEngine()) {
      IoRequest request = new IoRequest();
      assertThrows(IllegalStateException.class, request::await);
      request.prepareWrite(file, 0, region, 0, UNIT);
      assertThrows(IllegalStateException.class, request::await);
      assertThrows(IllegalArgumentException.class, () -> other.submit(request));
      engine.submit(request);
      request.await();
      assertEquals(UNIT, request.await(), "the outcome stays");
      assertThrows(IllegalStateException.class, () -> engine.submit(request));
    }
  }

  @Test
  void concurrentCallersGetTheirOwnBytes() throws Exception {
    int threads = 32;
    int slots = 4;
    try (IoFile file = create("data")) {
      for (boolean virtual : new boolean[] {false, true}) {
        onThreads(
            virtual,
            threads,
            index ->
                () -> {
                  SplittableRandom random = new SplittableRandom(index);
                  long at = (long) index * UNIT;
                  int[] model = new int[slots];
                  IoRequest request = new IoRequest();
                  for (int step = 1; step <= 60; step++) {
                    int slot = random.nextInt(slots);
                    long offset = ((long) index * slots + slot) * UNIT;
                    if (model[slot] == 0 || random.nextBoolean()) {
                      model[slot] = index * 1000 + step;
                      region.segment().set(ValueLayout.JAVA_INT, at, model[slot]);
                      if (random.nextBoolean()) {
                        file.write(offset, region, at, UNIT);
                      } else {
                        engine.submit(request.prepareWrite(file, offset, region, at, UNIT));
                        assertEquals(UNIT, request.await());
                      }
                    } else {
                      region.segment().set(ValueLayout.JAVA_INT, at, -1);
                      if (random.nextBoolean()) {
                        assertEquals(UNIT, file.read(offset, region, at, UNIT));
                      } else {
                        engine.submit(request.prepareRead(file, offset, region, at, UNIT));
                        assertEquals(UNIT, request.await());
                      }
                      assertEquals(model[slot], region.segment().get(ValueLayout.JAVA_INT, at));
                    }
                    if (step % 20 == 0) {
                      file.sync();
                    }
                  }
                });
      }
    }
  }

  @Test
  void interruptDoesNotDisturbAnOperation() throws IOException {
    try (IoFile file = create("data")) {
      Thread.currentThread().interrupt();
      try {
        fill(0, UNIT, 5);
        IoRequest request = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
        engine.submit(request);
        assertEquals(UNIT, request.await());
        assertEquals(UNIT, file.read(0, region, UNIT, UNIT));
        file.sync();
        assertArrayEquals(filled(UNIT, 5), bytes(UNIT, UNIT));
      } finally {
        assertTrue(Thread.interrupted(), "the interrupt status is kept");
      }
    }
  }

  // ---------------------------------------------------------------- life

  @Test
  void closingAFileWaitsForItsOperations() throws IOException {
    int count = 64;
    IoRequest[] requests = new IoRequest[count];
    IoFile file = create("data");
    for (int i = 0; i < count; i++) {
      requests[i] =
          new IoRequest().prepareWrite(file, (long) i * UNIT, region, (long) i * UNIT, UNIT);
    }
    engine.submitAll(requests, count);
    file.close();
    for (IoRequest request : requests) {
      assertTrue(request.isDone());
      assertEquals(UNIT, request.await());
    }
    file.close();
  }

  @Test
  void closingTheEngineEndsEverything() throws IOException {
    IoFile file = create("data");
    IoRequest request = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
    engine.submit(request);
    engine.register(region);
    engine.close();
    assertTrue(request.isDone());
    assertEquals(UNIT, request.await());
    assertThrows(IllegalStateException.class, file::sizeBytes);
    assertThrows(
        IllegalStateException.class,
        () -> engine.submit(request.prepareRead(file, 0, region, 0, UNIT)));
    assertThrows(IllegalStateException.class, () -> engine.list(directory));
    assertThrows(IllegalStateException.class, () -> create("more"));
    engine.close();
  }

  @Test
  void closedFilesAndRegionsAreRefused() throws IOException {
    IoFile file = create("data");
    IoFile open = create("open");
    Region closed = Region.map(budget, RegionOptions.ofSize(UNIT));
    IoRequest request = new IoRequest().prepareWrite(open, 0, closed, 0, UNIT);
    closed.close();
    assertThrows(IllegalStateException.class, () -> engine.submit(request));
    assertThrows(IllegalStateException.class, () -> open.read(0, closed, 0, UNIT));
    file.close();
    assertThrows(IllegalStateException.class, file::sync);
    assertThrows(IllegalStateException.class, () -> file.read(0, region, 0, UNIT));
    assertThrows(IllegalStateException.class, () -> file.write(0, region, 0, UNIT));
    assertThrows(IllegalStateException.class, () -> file.truncate(0));
    IoRequest late = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
    assertThrows(IllegalStateException.class, () -> engine.submit(late));
    open.close();
  }

  @Test
  void registeredRegionsStayMappedUntilUnregistered() throws IOException {
    engine.register(region);
    assertThrows(IllegalStateException.class, () -> engine.register(region));
    assertThrows(IllegalStateException.class, region::close);
    try (IoFile file = create("data")) {
      fill(0, UNIT, 3);
      IoRequest request = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
      engine.submit(request);
      assertEquals(UNIT, request.await());
      engine.submit(request.prepareRead(file, 0, region, 8L * UNIT, UNIT));
      assertEquals(UNIT, request.await());
      assertArrayEquals(filled(UNIT, 3), bytes(8L * UNIT, UNIT));
      engine.unregister(region);
      engine.submit(request.prepareRead(file, 0, region, 9L * UNIT, UNIT));
      assertEquals(UNIT, request.await());
      assertArrayEquals(filled(UNIT, 3), bytes(9L * UNIT, UNIT));
    }
    assertThrows(IllegalStateException.class, () -> engine.unregister(region));
  }

  @Test
  void readOnlyFilesAreNotWritten() throws IOException {
    create("data").close();
    try (IoFile file = engine.open(directory.resolve("data"), OpenMode.READ_ONLY)) {
      assertFalse(file.canWrite());
      assertThrows(IllegalStateException.class, () -> file.write(0, region, 0, UNIT));
      assertThrows(IllegalStateException.class, file::sync);
      assertThrows(IllegalStateException.class, () -> file.truncate(0));
      assertThrows(IllegalStateException.class, () -> file.preallocate(0, 1));
      assertThrows(
          IllegalStateException.class,
          () -> new IoRequest().prepareWrite(file, 0, region, 0, UNIT));
    }
  }

  // ---------------------------------------------------------------- names

  @Test
  void namesAreCreatedListedRenamedAndDeleted() throws IOException {
    Path below = directory.resolve("a").resolve("b");
    engine.createDirectories(below);
    engine.createDirectories(below);
    assertTrue(engine.exists(below));
    Path old = below.resolve("old");
    Path fresh = below.resolve("fresh");
    engine.open(old, OpenMode.CREATE_NEW).close();
    assertThrows(StorageException.class, () -> engine.open(old, OpenMode.CREATE_NEW));
    try (IoFile file = engine.open(fresh, OpenMode.CREATE_NEW)) {
      file.write(0, region, 0, UNIT);
    }
    assertEquals(List.of(fresh, old), engine.list(below));
    engine.rename(fresh, old);
    engine.syncDirectory(below);
    assertFalse(engine.exists(fresh));
    try (IoFile file = engine.open(old, OpenMode.READ_WRITE)) {
      assertEquals(UNIT, file.sizeBytes());
    }
    assertThrows(StorageException.class, () -> engine.delete(below));
    engine.delete(old);
    engine.syncDirectory(below);
    assertEquals(List.of(), engine.list(below));
    engine.delete(below);
    assertFalse(engine.exists(below));
  }

  @Test
  void fileWithTwoNamesGoesWithTheLast() throws IOException {
    Path first = directory.resolve("first");
    Path second = directory.resolve("second");
    try (IoFile file = engine.open(first, OpenMode.CREATE_NEW)) {
      file.write(0, region, 0, UNIT);
    }
    assertTrue(engine.link(first, second));
    assertThrows(StorageException.class, () -> engine.link(first, second));
    assertThrows(MissingFileException.class, () -> engine.link(directory.resolve("no"), second));
    engine.delete(first);
    engine.syncDirectory(directory);
    try (IoFile file = engine.open(second, OpenMode.READ_ONLY)) {
      assertEquals(UNIT, file.sizeBytes());
    }
  }

  @Test
  void directoryIsRenamedWithWhatIsInIt() throws IOException {
    Path old = directory.resolve("old");
    Path fresh = directory.resolve("fresh");
    engine.createDirectories(old.resolve("below"));
    IoFile file = engine.open(old.resolve("below").resolve("file"), OpenMode.CREATE_NEW);
    engine.createDirectories(fresh);
    engine.rename(old, fresh);
    engine.syncDirectory(directory);
    file.write(0, region, 0, UNIT);
    file.close();
    assertFalse(engine.exists(old));
    assertEquals(List.of(fresh.resolve("below")), engine.list(fresh));
    try (IoFile found = engine.open(fresh.resolve("below").resolve("file"), OpenMode.READ_ONLY)) {
      assertEquals(UNIT, found.sizeBytes());
    }
    engine.createDirectories(old);
    assertThrows(StorageException.class, () -> engine.rename(old, fresh), "it is not empty");
    assertThrows(
        StorageException.class, () -> engine.rename(old, fresh.resolve("below").resolve("file")));
    assertThrows(StorageException.class, () -> engine.rename(fresh, fresh.resolve("in")));
  }

  @Test
  void missingNamesAreToldApart() {
    Path missing = directory.resolve("missing");
    MissingFileException e =
        assertThrows(MissingFileException.class, () -> engine.open(missing, OpenMode.READ_ONLY));
    assertEquals(missing, e.path());
    assertTrue(e.getMessage().endsWith("path=" + missing), e.getMessage());
    assertThrows(MissingFileException.class, () -> engine.open(missing, OpenMode.READ_WRITE));
    assertThrows(MissingFileException.class, () -> engine.delete(missing));
    assertThrows(MissingFileException.class, () -> engine.list(missing));
    assertThrows(MissingFileException.class, () -> engine.syncDirectory(missing));
    assertThrows(
        MissingFileException.class, () -> engine.rename(missing, directory.resolve("other")));
    assertThrows(
        MissingFileException.class,
        () -> engine.open(missing.resolve("below"), OpenMode.CREATE_NEW));
  }

  @Test
  void directoriesAreNotFiles() {
    assertThrows(StorageException.class, () -> engine.open(directory, OpenMode.READ_ONLY));
  }

  @Test
  void namesWorkFromVirtualThreads() throws Exception {
    onThreads(
        true,
        8,
        index ->
            () -> {
              Path mine = directory.resolve("d" + index);
              engine.createDirectories(mine);
              try (IoFile file = engine.open(mine.resolve("f"), OpenMode.CREATE_NEW)) {
                file.preallocate(0, UNIT);
                file.truncate(UNIT / 2);
                assertEquals(UNIT / 2, file.sizeBytes());
              }
              engine.syncDirectory(mine);
              assertThrows(
                  MissingFileException.class,
                  () -> engine.open(mine.resolve("no"), OpenMode.READ_ONLY));
            });
  }

  @Test
  void lockIsHeldByOne() throws IOException {
    Path lockFile = directory.resolve("LOCK");
    DirectoryLock lock = engine.lock(lockFile);
    assertThrows(LockedException.class, () -> engine.lock(lockFile));
    lock.close();
    lock.close();
    engine.lock(lockFile).close();
  }

  // ---------------------------------------------------------------- synced, holes, completions

  @Test
  void syncedWriteIsWrittenAndSynced() throws Exception {
    try (IoFile file = create("data")) {
      for (boolean virtual : new boolean[] {false, true}) {
        IoStats before = engine.stats();
        fill(0, UNIT, virtual ? 1 : 2);
        onThreads(virtual, 1, i -> () -> file.writeSynced(UNIT, region, 0, UNIT));
        assertSynced(file, before);
      }
      IoStats before = engine.stats();
      fill(0, UNIT, 3);
      IoRequest request = new IoRequest();
      engine.submit(request.prepareWrite(file, UNIT, region, 0, UNIT).synced());
      assertEquals(UNIT, request.await());
      assertSynced(file, before);
      engine.submit(request.prepareWrite(file, UNIT, region, 0, UNIT));
      request.await();
      assertFalse(request.isSynced(), "prepare forgets");
      assertThrows(
          IllegalStateException.class,
          () -> request.prepareRead(file, 0, region, 0, UNIT).synced());
    }
  }

  private void assertSynced(IoFile file, IoStats before) throws IOException {
    IoStats done = engine.stats().since(before);
    assertEquals(1, done.writes(), done.toString());
    assertEquals(1, done.syncs(), done.toString());
    file.readFully(UNIT, region, 2L * UNIT, UNIT);
    assertArrayEquals(bytes(0, UNIT), bytes(2L * UNIT, UNIT));
  }

  @Test
  void holeReadsAsZerosAndKeepsTheSize() throws IOException {
    try (IoFile file = create("data")) {
      fill(0, 4 * UNIT, 7);
      file.write(0, region, 0, 4 * UNIT);
      file.punchHole(UNIT, UNIT);
      file.punchHole(3L * UNIT, 100L * UNIT);
      file.punchHole(0, 0);
      assertEquals(4L * UNIT, file.sizeBytes());
      file.readFully(0, region, 0, 4 * UNIT);
      for (int unit = 0; unit < 4; unit++) {
        assertArrayEquals(filled(UNIT, unit % 2 == 0 ? 7 : 0), bytes((long) unit * UNIT, UNIT));
      }
      assertThrows(IllegalArgumentException.class, () -> file.punchHole(1, UNIT));
      assertThrows(IllegalArgumentException.class, () -> file.punchHole(0, -UNIT));
    }
    try (IoFile file = engine.open(directory.resolve("data"), OpenMode.READ_ONLY)) {
      assertThrows(IllegalStateException.class, () -> file.punchHole(0, UNIT));
    }
  }

  @Test
  void completionIsToldOnceAndMayGoOn() throws Exception {
    int lanes = 8;
    int rounds = 50;
    CountDownLatch over = new CountDownLatch(lanes);
    AtomicInteger told = new AtomicInteger();
    AtomicReference<Object> wrong = new AtomicReference<>();
    try (IoFile file = create("data")) {
      file.write(0, region, 0, lanes * UNIT);
      for (int i = 0; i < lanes; i++) {
        long at = (long) i * UNIT;
        AtomicInteger left = new AtomicInteger(rounds);
        IoCompletion again =
            new IoCompletion() {
              @Override
              public void completed(IoRequest request, int bytes, Exception failure) {
                told.incrementAndGet();
                if (failure != null || bytes != UNIT || !request.isDone()) {
                  wrong.set(failure == null ? bytes : failure);
                }
                if (left.decrementAndGet() > 0) {
                  engine.submit(request.prepareRead(file, at, region, at, UNIT).onComplete(this));
                } else {
                  over.countDown();
                }
              }
            };
        engine.submit(new IoRequest().prepareRead(file, at, region, at, UNIT).onComplete(again));
      }
      await(over);
      assertNull(wrong.get());
      assertEquals(lanes * rounds, told.get());
    }
  }

  /** Also where there is nothing to wait for: an empty transfer, and an engine in memory. */
  @Test
  void completionMaySubmitForEver() throws Exception {
    try (IoFile file = create("data")) {
      file.write(0, region, 0, UNIT);
      for (int length : new int[] {0, UNIT}) {
        AtomicInteger left = new AtomicInteger(length == 0 ? 100_000 : readsInARow());
        AtomicReference<Exception> wrong = new AtomicReference<>();
        CountDownLatch over = new CountDownLatch(1);
        IoCompletion again =
            new IoCompletion() {
              @Override
              public void completed(IoRequest request, int bytes, Exception failure) {
                if (failure != null || left.decrementAndGet() == 0) {
                  wrong.set(failure);
                  over.countDown();
                } else {
                  engine.submit(request.prepareRead(file, 0, region, 0, length).onComplete(this));
                }
              }
            };
        engine.submit(new IoRequest().prepareRead(file, 0, region, 0, length).onComplete(again));
        await(over);
        assertNull(wrong.get());
        assertEquals(0, left.get());
      }
    }
  }

  /** How many reads one completion may ask for, one after the other, in little time. */
  int readsInARow() {
    return 5_000;
  }

  @Test
  void toldRequestIsNotAwaited() throws Exception {
    try (IoFile file = create("data")) {
      CountDownLatch over = new CountDownLatch(1);
      IoRequest request = new IoRequest();
      assertThrows(IllegalStateException.class, () -> request.onComplete((r, b, f) -> {}));
      request.prepareRead(file, 0, region, 0, UNIT).onComplete((r, b, f) -> over.countDown());
      engine.submit(request);
      assertThrows(IllegalStateException.class, request::await);
      await(over);
      engine.submit(request.prepareRead(file, 0, region, 0, UNIT));
      assertEquals(0, request.await(), "prepare forgets");
    }
  }

  @Test
  void completionThatThrowsDisturbsNobody() throws Exception {
    AtomicReference<Throwable> seen = new AtomicReference<>();
    CountDownLatch over = new CountDownLatch(1);
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, e) -> {
          seen.set(e);
          over.countDown();
        });
    try (IoFile file = create("data")) {
      IoRequest request = new IoRequest().prepareRead(file, 0, region, 0, UNIT);
      engine.submit(
          request.onComplete(
              (r, b, f) -> {
                throw new IllegalStateException("on purpose");
              }));
      await(over);
      assertEquals("on purpose", seen.get().getMessage());
      file.write(0, region, 0, UNIT);
      engine.submit(request.prepareRead(file, 0, region, 0, UNIT));
      assertEquals(UNIT, request.await());
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
  }

  @Test
  void cancelledRequestEndsOneWayOrTheOther() throws IOException {
    int count = 200;
    IoRequest[] requests = new IoRequest[count];
    try (IoFile file = create("data")) {
      file.write(0, region, 0, UNIT);
      for (int i = 0; i < count; i++) {
        requests[i] = new IoRequest().prepareRead(file, 0, region, 0, UNIT);
      }
      engine.submitAll(requests, count);
      for (IoRequest request : requests) {
        engine.cancel(request);
      }
      for (IoRequest request : requests) {
        try {
          assertEquals(UNIT, request.await());
        } catch (CancellationException e) {
          assertThrows(CancellationException.class, request::await, "the outcome stays");
        }
        engine.submit(request.prepareRead(file, 0, region, 0, UNIT));
        assertEquals(UNIT, request.await(), "a cancelled request can be used again");
      }
    }
  }

  // ---------------------------------------------------------------- what stands on engines

  @Test
  void atomicFileReplacesAndReads() throws IOException {
    Path path = directory.resolve("CURRENT");
    assertThrows(MissingFileException.class, () -> AtomicFile.read(engine, path, 1, 1));
    for (int length : new int[] {0, 1, 495, 496, 497, 100_000}) {
      byte[] payload = new byte[length];
      new SplittableRandom(length).nextBytes(payload);
      AtomicFile.write(engine, path, 1, 2, payload);
      assertArrayEquals(payload, AtomicFile.read(engine, path, 1, 2));
    }
    assertEquals(List.of(path), engine.list(directory));
    UnsupportedFormatException e =
        assertThrows(UnsupportedFormatException.class, () -> AtomicFile.read(engine, path, 1, 1));
    assertEquals(2, e.found());
    assertThrows(CorruptFileException.class, () -> AtomicFile.read(engine, path, 3, 2));
    try (IoFile file = engine.open(path, OpenMode.READ_WRITE)) {
      file.truncate(5000);
    }
    assertThrows(CorruptFileException.class, () -> AtomicFile.read(engine, path, 1, 2));
    try (IoFile file = engine.open(path, OpenMode.READ_WRITE)) {
      file.truncate(3);
    }
    assertThrows(CorruptFileException.class, () -> AtomicFile.read(engine, path, 1, 2));
  }

  @Test
  void pageFileGrowsInSteps() throws IOException {
    try (PageFile pages = new PageFile(create("pages"), 2 * UNIT, new PageFileOptions(8 * UNIT))) {
      assertEquals(0, pages.capacityPages());
      assertThrows(IllegalArgumentException.class, () -> pages.write(0, region, 0));
      pages.ensureCapacity(1);
      assertEquals(4, pages.capacityPages());
      pages.ensureCapacity(5);
      assertEquals(8, pages.capacityPages());
      assertEquals(16L * UNIT, pages.file().sizeBytes());
      fill(0, 2 * UNIT, 6);
      pages.write(7, region, 0);
      pages.sync();
      pages.read(6, region, 0);
      assertArrayEquals(filled(2 * UNIT, 0), bytes(0, 2 * UNIT));
      IoRequest request = new IoRequest();
      engine.submit(pages.prepareRead(request, 7, region, 4L * UNIT));
      assertEquals(2 * UNIT, request.await());
      assertArrayEquals(filled(2 * UNIT, 6), bytes(4L * UNIT, 2 * UNIT));
      assertThrows(IllegalArgumentException.class, () -> pages.read(8, region, 0));
      assertThrows(IllegalArgumentException.class, () -> pages.read(-1, region, 0));
    }
  }

  @Test
  void choiceAndDescriptionNameTheEngine() {
    assertEquals(engine.name(), engine.choice().chosen());
    assertTrue(engine.description().startsWith(engine.name() + ": "), engine.description());
  }
}
