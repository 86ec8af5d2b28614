package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.OpenFlags;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Files used on the threads and fibers of reactors, which never wait in the kernel: assertions in
 * {@link LinuxFiles} find it out.
 */
@ParameterizedClass
@EnumSource(names = {"POOL", "URING"})
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class FilesOnReactorsTest {
  private static final int UNIT = 4096;

  private final EngineKind kind;
  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(16 * UNIT));
  private Reactor reactor;
  private IoEngine engine;

  @TempDir Path directory;

  FilesOnReactorsTest(EngineKind kind) {
    this.kind = kind;
  }

  @BeforeEach
  void open() throws IOException {
    assumeTrue(UringProbe.probe().supported(), "reactors need io_uring");
    reactor = Reactor.start(ReactorOptions.defaults().withName("files-test"));
    engine = openEngine();
  }

  private IoEngine openEngine() throws IOException {
    return IoEngines.open(EngineOptions.defaults().withWanted(kind));
  }

  @AfterEach
  void close() throws IOException {
    if (reactor != null) {
      engine.close();
      reactor.close();
    }
    region.close();
  }

  private interface Body {
    void run() throws Exception;
  }

  /** Runs on the reactor's own thread, or on a fiber, and waits. */
  private void on(Task.Kind where, Body body) throws ExecutionException {
    Task task =
        new Task(where, Task.Scratch.NONE) {
          @Override
          protected void run() throws Exception {
            body.run();
          }
        };
    reactor.post(task);
    task.await();
  }

  private void useEverything(Path own) throws IOException {
    engine.createDirectories(own);
    Path path = own.resolve("data");
    try (IoFile file = engine.open(path, OpenMode.CREATE_NEW)) {
      engine.register(region);
      file.preallocate(0, 8 * UNIT);
      region.segment().asSlice(0, UNIT).fill((byte) 7);
      file.write(0, region, 0, UNIT);
      file.sync();
      file.writeSynced(UNIT, region, 0, UNIT);
      file.punchHole(0, UNIT);
      file.truncate(2 * UNIT);
      assertEquals(2 * UNIT, file.sizeBytes());
      assertEquals(2 * UNIT, file.read(0, region, 2 * UNIT, 4 * UNIT));
      assertArrayEquals(
          region.segment().asSlice(0, UNIT).toArray(ValueLayout.JAVA_BYTE),
          region.segment().asSlice(3 * UNIT, UNIT).toArray(ValueLayout.JAVA_BYTE));
      engine.unregister(region);
    }
    engine.lock(own.resolve("LOCK")).close();
    AtomicFile.write(engine, own.resolve("CURRENT"), 1, 1, new byte[10]);
    assertEquals(10, AtomicFile.read(engine, own.resolve("CURRENT"), 1, 1).length);
    engine.rename(path, own.resolve("renamed"));
    engine.syncDirectory(own);
    assertEquals(3, engine.list(own).size());
    assertTrue(engine.exists(own.resolve("renamed")));
    engine.delete(own.resolve("renamed"));
    try (IoEngine other = openEngine()) {
      other.open(own.resolve("forgotten"), OpenMode.CREATE_NEW);
    }
  }

  @Test
  void everythingWorksOnALoopThatGoesOn() throws Exception {
    for (Task.Kind where : Task.Kind.values()) {
      IoStats before = engine.stats();
      on(where, () -> useEverything(directory.resolve(where.name())));
      assertEquals(before.inlineOperations(), engine.stats().inlineOperations(), where.name());
    }
  }

  /** A call on the loop's thread would keep it from running the task that this call waits for. */
  @Test
  void loopTurnsInsideOfACall() throws Exception {
    BlockingCalls calls = new BlockingCalls("test");
    on(
        Task.Kind.DIRECT,
        () ->
            calls.run(
                () -> {
                  try {
                    on(Task.Kind.DIRECT, () -> {});
                  } catch (ExecutionException e) {
                    throw new IOException(e);
                  }
                }));
    calls.close();
  }

  @Test
  void callThatWouldStopTheLoopIsFound() throws Exception {
    Path path = directory.resolve("data");
    int descriptor = LinuxFiles.open(path, OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600);
    for (Task.Kind where : Task.Kind.values()) {
      List<Body> bodies =
          List.of(
              () -> LinuxFiles.pread(descriptor, region.segment(), 0, UNIT, 0),
              () -> LinuxFiles.fdatasync(descriptor),
              () -> LinuxFiles.statx(descriptor),
              () -> OpenedFile.open(path, OpenMode.READ_ONLY),
              () -> Directories.list(directory));
      for (Body body : bodies) {
        ExecutionException e = assertThrows(ExecutionException.class, () -> on(where, body));
        assertInstanceOf(AssertionError.class, e.getCause());
      }
    }
    LinuxFiles.close(descriptor);
  }

  @Test
  void completionMayCloseItsFileAndNotTheEngine() throws Exception {
    BlockingQueue<Object> told = new LinkedBlockingQueue<>();
    IoFile file = engine.open(directory.resolve("data"), OpenMode.CREATE_NEW);
    engine.submit(
        new IoRequest()
            .prepareWrite(file, 0, region, 0, UNIT)
            .onComplete(
                (request, bytes, failure) -> {
                  assertNull(failure);
                  Object closing =
                      assertThrows(IllegalStateException.class, engine::close).getMessage();
                  try {
                    file.close();
                    told.add(closing);
                  } catch (IOException e) {
                    told.add(e);
                  }
                }));
    assertEquals("the engine would wait for itself: name=" + kind, told.take());
    assertThrows(IllegalStateException.class, file::sizeBytes);
    assertFalse(engine.exists(directory.resolve("other")));
  }
}
