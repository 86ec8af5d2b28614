package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the engines on files of the operating system do besides. */
abstract class LinuxEngineTest extends EngineConformanceTest {
  @TempDir Path temporary;

  @Override
  Path emptyDirectory() {
    return temporary;
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  /** Runs a program; false if it is missing or fails. */
  private static boolean run(String... command) throws IOException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static List<Path> descriptors() throws IOException {
    List<Path> targets = new ArrayList<>();
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : open.toList()) {
        if (Files.isSymbolicLink(descriptor)) {
          targets.add(Files.readSymbolicLink(descriptor));
        }
      }
    }
    return targets;
  }

  @Test
  void filesAndDirectoriesArePrivate() throws IOException {
    Path below = temporary.resolve("a/b");
    engine.createDirectories(below);
    engine.open(below.resolve("f"), OpenMode.CREATE_NEW).close();
    engine.lock(below.resolve("LOCK")).close();
    assertEquals("rwx------", permissions(temporary.resolve("a")));
    assertEquals("rwx------", permissions(below));
    assertEquals("rw-------", permissions(below.resolve("f")));
    assertEquals("rw-------", permissions(below.resolve("LOCK")));
  }

  @Test
  void linksAreNotFollowed() throws IOException {
    create("data").close();
    Path link = Files.createSymbolicLink(temporary.resolve("link"), temporary.resolve("data"));
    Path dangling = Files.createSymbolicLink(temporary.resolve("d"), temporary.resolve("no"));
    assertThrows(StorageException.class, () -> engine.open(link, OpenMode.READ_WRITE));
    assertThrows(StorageException.class, () -> engine.open(dangling, OpenMode.CREATE_NEW));
    assertThrows(StorageException.class, () -> engine.lock(link));
    assertTrue(engine.exists(dangling));
  }

  @Test
  void pipesAreRefusedWithoutWaiting() throws IOException {
    Path pipe = temporary.resolve("pipe");
    assumeTrue(run("mkfifo", pipe.toString()));
    assertThrows(StorageException.class, () -> engine.open(pipe, OpenMode.READ_ONLY));
    assertThrows(
        StorageException.class, () -> engine.open(Path.of("/dev/zero"), OpenMode.READ_ONLY));
  }

  @Test
  void deniedPermissionIsTold() throws IOException {
    assumeFalse(isRoot(), "root may do everything");
    Path locked = temporary.resolve("locked");
    Files.createDirectory(
        locked, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("---------")));
    StorageException e =
        assertThrows(
            StorageException.class, () -> engine.open(locked.resolve("f"), OpenMode.CREATE_NEW));
    assertTrue(e.getMessage().contains("EACCES"), e.getMessage());
    assertThrows(StorageException.class, () -> engine.list(locked));
  }

  /** Against the rules, and an exception for whoever breaks them: no wait that never ends. */
  @Test
  void requestInTwoHandsHangsNobody() throws Exception {
    IoFile file = create("data");
    IoRequest request = new IoRequest();
    AtomicBoolean over = new AtomicBoolean();
    Thread intruder =
        Thread.ofPlatform()
            .daemon()
            .start(() -> repeat(over, () -> request.prepareRead(file, 0, region, 0, 4096)));
    Thread owner =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  AtomicInteger rounds = new AtomicInteger();
                  repeat(
                      over,
                      () -> {
                        over.set(rounds.incrementAndGet() >= 50_000);
                        request.prepareRead(file, 0, region, 0, 4096);
                        engine.submit(request);
                        return request.await();
                      });
                });
    owner.join(TimeUnit.SECONDS.toMillis(30));
    over.set(true);
    intruder.join();
    assertFalse(owner.isAlive(), "the owner waits for ever");
    file.close();
  }

  private static void repeat(AtomicBoolean over, Callable<?> call) {
    while (!over.get()) {
      try {
        call.call();
      } catch (IllegalStateException e) {
        // As it should be for one of the two.
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void pipeIsRefusedInsteadOfWaitedFor() throws IOException {
    Path pipe = temporary.resolve("pipe");
    assumeTrue(run("mkfifo", pipe.toString()));
    assertThrows(StorageException.class, () -> engine.lock(pipe));
    assertThrows(StorageException.class, () -> engine.open(pipe, OpenMode.READ_ONLY));
  }

  @Test
  void triedLockIsNotLost() throws IOException {
    Path lockFile = temporary.resolve("LOCK");
    try (DirectoryLock lock = engine.lock(lockFile)) {
      assertThrows(LockedException.class, () -> engine.lock(lockFile));
      engine.open(lockFile, OpenMode.READ_ONLY).close();
      assertThrows(LockedException.class, () -> engine.lock(lockFile));
      // The kernel's list of locks ends each with device:inode and the range.
      String inode = ":" + Files.getAttribute(lockFile, "unix:ino") + " ";
      assertTrue(
          Files.readAllLines(Path.of("/proc/locks")).stream().anyMatch(l -> l.contains(inode)),
          "the refused attempt has freed the lock: " + lock);
    }
  }

  @Test
  void descriptorsAreClosed() throws IOException {
    // Once before, so that what is opened only once in a process is open.
    useEverything();
    List<Path> before = descriptors();
    for (int i = 0; i < 5; i++) {
      useEverything();
    }
    List<Path> after = descriptors();
    assertEquals(before.size(), after.size(), () -> "before=" + before + " after=" + after);
  }

  private void useEverything() throws IOException {
    try (IoEngine other = openEngine()) {
      Path path = temporary.resolve("d").resolve("f");
      other.createDirectories(path.getParent());
      IoFile forgotten = other.open(path, OpenMode.CREATE_NEW);
      forgotten.write(0, region, 0, UNIT);
      other.register(region);
      other.syncDirectory(path.getParent());
      other.list(path.getParent());
      other.lock(temporary.resolve("LOCK")).close();
      AtomicFile.write(other, temporary.resolve("CURRENT"), 1, 1, new byte[10]);
      assertThrows(StorageException.class, () -> other.open(path, OpenMode.CREATE_NEW));
      assertThrows(StorageException.class, () -> other.open(temporary, OpenMode.READ_ONLY));
      assertThrows(
          MissingFileException.class,
          () -> other.open(temporary.resolve("no"), OpenMode.READ_ONLY));
      other.delete(path);
    }
  }

  /** The descriptor is closed behind the file's back, which makes its syncs fail. */
  @Test
  void failedSyncPoisonsTheFile() throws Exception {
    for (int way = 0; way < 3; way++) {
      LinuxFile file = (LinuxFile) create("data" + way);
      IoRequest request = new IoRequest();
      file.engine().unregisterFromKernel(file);
      LinuxFiles.close(file.descriptor());
      switch (way) {
        case 0 -> assertThrows(StorageException.class, file::sync);
        case 1 ->
            onThreads(true, 1, index -> () -> assertThrows(StorageException.class, file::sync));
        default -> {
          engine.submit(request.prepareSync(file));
          StorageException e = assertThrows(StorageException.class, request::await);
          assertTrue(e.getMessage().contains("EBADF"), e.getMessage());
        }
      }
      assertThrows(PoisonedFileException.class, file::sync);
      assertThrows(PoisonedFileException.class, () -> file.write(0, region, 0, UNIT));
      assertThrows(PoisonedFileException.class, () -> file.truncate(0));
      onThreads(true, 1, i -> () -> assertThrows(PoisonedFileException.class, file::sync));
      engine.submit(request.prepareWrite(file, 0, region, 0, UNIT));
      assertThrows(PoisonedFileException.class, request::await);
      IoRequest batched = new IoRequest().prepareSync(file);
      engine.submitAll(new IoRequest[] {batched}, 1);
      assertThrows(PoisonedFileException.class, batched::await);
      assertThrows(StorageException.class, file::close, "the descriptor was not ours any more");
    }
  }

  @Test
  void regionStaysMappedWhileItsOperationsAreInFlight() throws IOException {
    int count = 64;
    for (int round = 0; round < 20; round++) {
      Region mine = Region.map(budget, RegionOptions.ofSize((long) count * UNIT));
      IoRequest[] requests = new IoRequest[count];
      try (IoFile file = create("data" + round)) {
        for (int i = 0; i < count; i++) {
          requests[i] =
              new IoRequest().prepareWrite(file, (long) i * UNIT, mine, (long) i * UNIT, UNIT);
        }
        engine.submitAll(requests, count);
        boolean closed = false;
        while (!closed) {
          try {
            mine.close();
            closed = true;
          } catch (IllegalStateException inFlight) {
            assertTrue(inFlight.getMessage().contains("leases="), inFlight.getMessage());
          }
        }
        for (IoRequest request : requests) {
          assertEquals(UNIT, request.await(), "the memory was there to the end");
        }
      }
    }
  }

  @Test
  void blockDeviceIsAFileOfFixedSize() throws Exception {
    for (int blockBytes : new int[] {512, 4096}) {
      Path image = Files.write(temporary.resolve("image" + blockBytes), new byte[4 << 20]);
      Path device = LoopDevice.attach(image, blockBytes);
      try (IoFile file = engine.open(device, OpenMode.READ_WRITE)) {
        assertTrue(file.isBlockDevice() && file.isDirect(), file.toString());
        assertEquals(blockBytes, file.alignmentBytes());
        assertEquals(4 << 20, file.sizeBytes());
        fill(0, UNIT, blockBytes / 512);
        file.writeSynced(8L * UNIT, region, 0, UNIT);
        onThreads(true, 2, i -> () -> file.writeSynced((10L + i) * UNIT, region, 0, UNIT));
        file.readFully(8L * UNIT, region, UNIT, UNIT);
        assertArrayEquals(bytes(0, UNIT), bytes(UNIT, UNIT));
        assertEquals(0, file.read(4 << 20, region, 0, UNIT), "the end of the device");
        file.punchHole(8L * UNIT, UNIT);
        file.readFully(8L * UNIT, region, UNIT, UNIT);
        assertArrayEquals(filled(UNIT, 0), bytes(UNIT, UNIT));
        assertThrows(IllegalStateException.class, () -> file.truncate(0));
        assertThrows(OutOfSpaceException.class, () -> file.preallocate(UNIT, 4 << 20));
        StorageException e =
            assertThrows(StorageException.class, () -> engine.open(device, OpenMode.READ_WRITE));
        assertTrue(e.getMessage().contains("EBUSY"), e.getMessage());
        PageFile pages = new PageFile(file, UNIT, new PageFileOptions(64L * UNIT));
        assertEquals((4 << 20) / UNIT, pages.capacityPages());
        pages.read(10, region, UNIT);
        assertArrayEquals(bytes(0, UNIT), bytes(UNIT, UNIT));
        assertThrows(OutOfSpaceException.class, () -> pages.ensureCapacity((4 << 20) / UNIT + 1));
      } finally {
        LoopDevice.detach(device);
      }
    }
  }

  /** The descriptor is closed behind the file's back, which makes its writes fail. */
  @Test
  void failureIsToldToTheCompletion() throws Exception {
    LinuxFile file = (LinuxFile) create("data");
    file.engine().unregisterFromKernel(file);
    LinuxFiles.close(file.descriptor());
    BlockingQueue<Exception> told = new LinkedBlockingQueue<>();
    engine.submit(
        new IoRequest()
            .prepareWrite(file, 0, region, 0, UNIT)
            .synced()
            .onComplete((request, bytes, failure) -> told.add(failure)));
    Exception failure = told.take();
    assertTrue(failure instanceof StorageException, failure.toString());
    assertTrue(failure.getMessage().contains("EBADF"), failure.getMessage());
    assertThrows(StorageException.class, file::close, "the descriptor was not ours any more");
  }

  @Test
  void everythingOnAFileWorksFromVirtualThreads() throws Exception {
    onThreads(
        true,
        8,
        i ->
            () -> {
              try (IoFile file = create("data" + i)) {
                file.preallocate(0, 4L * UNIT);
                file.write(0, region, (long) i * UNIT, UNIT);
                file.punchHole(0, UNIT);
                file.sync();
                assertEquals(4L * UNIT, file.sizeBytes());
                file.truncate(UNIT);
                engine.lock(temporary.resolve("LOCK" + i)).close();
              }
            });
  }

  @Test
  void neighbouringPagesGoInOneTransferWhereverTheirFramesAre() throws IOException {
    try (PageFile pages = new PageFile(create("pages"), UNIT, PageFileOptions.defaults())) {
      pages.ensureCapacity(64);
      PageBatch batch = new PageBatch(engine, pages, 64);
      long[] numbers = {3, 4, 5, 9, 10, 12};
      long[] frames = {0, 4096, 8192, 12288, 20480, 24576};
      for (int i = 0; i < numbers.length; i++) {
        fill(frames[i], UNIT, (int) numbers[i]);
      }
      IoStats before = engine.stats();
      batch.write(numbers, frames, 6, region);
      assertEquals(3, engine.stats().since(before).writes());
      region.segment().fill((byte) 0);
      batch.read(numbers, frames, 6, region);
      assertEquals(3, engine.stats().since(before).reads());
      for (int i = 0; i < numbers.length; i++) {
        assertArrayEquals(filled(UNIT, (int) numbers[i]), bytes(frames[i], UNIT));
      }
    }
  }

  @Test
  void piecesAreLeasedEach() throws IOException {
    Region mine = Region.map(budget, RegionOptions.ofSize(8L * UNIT));
    try (IoFile file = create("data")) {
      IoRequest request = new IoRequest();
      long[] at = {0, 4L * UNIT};
      engine.submit(request.prepareWrite(file, 0, mine, at, 0, 2, UNIT));
      request.await();
      mine.close(); // no lease is left
      request.prepareRead(file, 0, mine, at, 0, 2, UNIT);
      assertThrows(IllegalStateException.class, () -> engine.submit(request));
    }
  }

  /** Linux takes O_DIRECT there since 6.6, and refused it before. */
  @Test
  void fileInMemoryIsNotCalledDirect() throws IOException {
    Path memory = Path.of("/dev/shm");
    assumeTrue(Files.isWritable(memory) && Files.getFileStore(memory).type().equals("tmpfs"));
    Path path = Files.createTempFile(memory, "gds", "");
    try (IoFile file = engine.open(path, OpenMode.READ_WRITE)) {
      assertFalse(file.isDirect());
      assertTrue(file.toString().contains("direct=false fileSystem=tmpfs"), file.toString());
      file.writeSynced(0, region, 0, UNIT);
    } finally {
      Files.delete(path);
    }
  }

  /** A file system of 1 MiB in memory, where this process may mount one. */
  @Test
  void fullDeviceIsSurvived() throws IOException {
    assumeTrue(isRoot(), "mounting needs root");
    Path small = Files.createDirectory(temporary.resolve("small"));
    assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString()));
    try (IoFile file = engine.open(small.resolve("f"), OpenMode.CREATE_NEW)) {
      fill(0, UNIT, 4);
      file.write(0, region, 0, UNIT);
      OutOfSpaceException e =
          assertThrows(OutOfSpaceException.class, () -> file.preallocate(0, 8 << 20));
      assertTrue(e.getMessage().contains("ENOSPC"), e.getMessage());
      assertTrue(e.getMessage().endsWith("path=" + file.path()), e.getMessage());
      assertThrows(
          OutOfSpaceException.class,
          () -> {
            for (int i = 1; i < 600; i++) {
              file.write((long) i * UNIT, region, 0, UNIT);
            }
          });
      IoRequest request = new IoRequest();
      engine.submit(request.prepareWrite(file, 4L << 20, region, 0, UNIT));
      assertThrows(OutOfSpaceException.class, request::await);
      assertThrows(
          OutOfSpaceException.class,
          () -> AtomicFile.write(engine, small.resolve("CURRENT"), 1, 1, new byte[100_000]));
      // What was there is there, and goes on when there is space again.
      file.readFully(0, region, UNIT, UNIT);
      assertArrayEquals(filled(UNIT, 4), bytes(UNIT, UNIT));
      file.truncate(UNIT);
      try (PageFile pages = new PageFile(file, UNIT, new PageFileOptions(512 << 10))) {
        pages.ensureCapacity(2);
        assertThrows(OutOfSpaceException.class, () -> pages.ensureCapacity(4000));
        long capacity = pages.capacityPages();
        pages.ensureCapacity(capacity + 1);
        pages.write(capacity, region, 0);
        pages.sync();
      }
    } finally {
      assertTrue(run("umount", small.toString()));
    }
    assertFalse(Files.exists(small.resolve("f")));
  }
}
