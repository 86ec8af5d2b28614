package io.ewok.gds.ffm;

import static io.ewok.gds.ffm.OpenFlags.O_CREAT;
import static io.ewok.gds.ffm.OpenFlags.O_DIRECT;
import static io.ewok.gds.ffm.OpenFlags.O_DIRECTORY;
import static io.ewok.gds.ffm.OpenFlags.O_EXCL;
import static io.ewok.gds.ffm.OpenFlags.O_RDONLY;
import static io.ewok.gds.ffm.OpenFlags.O_RDWR;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxFilesTest {

  private static final int PRIVATE = 0600;

  // On the disk of the build, because a temporary directory is often tmpfs, which has no O_DIRECT
  // everywhere.
  @TempDir(factory = BuildDirectory.class)
  Path directory;

  private int create(String name, int flags) throws ErrnoException {
    return LinuxFiles.open(directory.resolve(name), O_RDWR | O_CREAT | O_EXCL | flags, PRIVATE);
  }

  @Test
  void whatWasWrittenIsReadBack() throws Exception {
    roundTrip(create("buffered", 0));
  }

  @Test
  void whatWasWrittenIsReadBackPastThePageCache() throws Exception {
    roundTrip(create("direct", O_DIRECT));
  }

  @Test
  void readOnlyMemoryIsNotReadInto() throws Exception {
    int fd = create("data", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8).asReadOnly();
      assertThrows(IllegalArgumentException.class, () -> LinuxFiles.pread(fd, buffer, 0, 8, 0));
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void lockBelongsToTheDescriptor() throws Exception {
    int first = create("lock", 0);
    int second = LinuxFiles.open(directory.resolve("lock"), O_RDWR, 0);
    try {
      assertTrue(LinuxFiles.tryLock(first));
      assertFalse(LinuxFiles.tryLock(second));
      LinuxFiles.close(first);
      assertTrue(LinuxFiles.tryLock(second));
    } finally {
      LinuxFiles.close(second);
    }
  }

  private static void roundTrip(int fd) throws Exception {
    long seed = 0x5eed;
    byte[] bytes = new byte[65536];
    new SplittableRandom(seed).nextBytes(bytes);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = LinuxMemory.map(bytes.length, 4096, arena);
      buffer.copyFrom(MemorySegment.ofArray(bytes));
      LinuxFiles.fallocate(fd, 0, 0, 3L * bytes.length);
      assertEquals(3L * bytes.length, LinuxFiles.statx(fd).sizeBytes());
      assertEquals(bytes.length, LinuxFiles.pwrite(fd, buffer, 0, bytes.length, bytes.length));
      LinuxFiles.fdatasync(fd);
      LinuxFiles.fsync(fd);
      buffer.fill((byte) 0);
      assertEquals(bytes.length, LinuxFiles.pread(fd, buffer, 0, bytes.length, bytes.length));
      assertEquals(-1, buffer.mismatch(MemorySegment.ofArray(bytes)), "seed=" + seed);

      LinuxFiles.ftruncate(fd, bytes.length + 4096L);
      assertEquals(4096, LinuxFiles.pread(fd, buffer, 0, bytes.length, bytes.length));
      assertEquals(0, LinuxFiles.pread(fd, buffer, 0, bytes.length, 4L * bytes.length));
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void errorsCarryTheirNameAndTheFile() throws Exception {
    Path missing = directory.resolve("missing");
    ErrnoException e =
        assertThrows(ErrnoException.class, () -> LinuxFiles.open(missing, O_RDONLY, 0));
    assertEquals("ENOENT", e.errnoName());
    assertEquals(missing.toString(), e.path());
    assertEquals("open", e.call());
    assertTrue(e.getMessage().endsWith("errno=ENOENT path=" + missing), e.getMessage());

    LinuxFiles.close(create("there", 0));
    e = assertThrows(ErrnoException.class, () -> create("there", 0));
    assertEquals("EEXIST", e.errnoName());

    Path notDirectory = directory.resolve("there");
    e =
        assertThrows(
            ErrnoException.class, () -> LinuxFiles.open(notDirectory, O_RDONLY | O_DIRECTORY, 0));
    assertEquals("ENOTDIR", e.errnoName());
  }

  @Test
  void typeOfTheFileSystemIsTold() throws Exception {
    int status = LinuxFiles.open(Path.of("/proc/self/stat"), O_RDONLY, 0);
    try {
      int proc = 0x9fa0;
      assertEquals(proc, LinuxFiles.statx(status).fileSystemType());
    } finally {
      LinuxFiles.close(status);
    }
  }

  @Test
  void virtualThreadThatWouldHoldItsCarrierIsFound() throws Exception {
    int fd = create("data", 0);
    try {
      AtomicReference<Throwable> found = new AtomicReference<>();
      Thread.ofVirtual()
          .uncaughtExceptionHandler((t, e) -> found.set(e))
          .start(
              () -> {
                assertThrows(AssertionError.class, () -> LinuxFiles.fdatasync(fd));
                assertThrows(AssertionError.class, () -> LinuxFiles.statx(fd));
                assertThrows(AssertionError.class, () -> LinuxFiles.close(fd));
              })
          .join();
      assertNull(found.get());
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void closedDescriptorIsBad() throws Exception {
    int never = 1 << 20;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8);
      assertBad(() -> LinuxFiles.pread(never, buffer, 0, 8, 0));
      assertBad(() -> LinuxFiles.pwrite(never, buffer, 0, 8, 0));
    }
    assertBad(() -> LinuxFiles.close(never));
    assertBad(() -> LinuxFiles.fsync(never));
    assertBad(() -> LinuxFiles.fdatasync(never));
    assertBad(() -> LinuxFiles.ftruncate(never, 0));
    assertBad(() -> LinuxFiles.fallocate(never, 0, 0, 1));
    assertBad(() -> LinuxFiles.statx(never));
    assertBad(() -> LinuxFiles.fstat(never));
    assertBad(() -> LinuxFiles.eventfdRead(never));
    assertBad(() -> LinuxFiles.eventfdWrite(never, 1));
  }

  private static void assertBad(org.junit.jupiter.api.function.Executable call) {
    ErrnoException e = assertThrows(ErrnoException.class, call);
    assertEquals(Errno.EBADF, e.errno());
    assertEquals("EBADF", e.errnoName());
  }

  @Test
  void transfersGoToAndFromThePlaceInTheBuffer() throws Exception {
    int fd = create("places", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment written = arena.allocateFrom("0123456789");
      assertEquals(2, LinuxFiles.pwrite(fd, written, 3, 2, 0));
      assertEquals(3, LinuxFiles.pwrite(fd, written, 7, 3, 2, LinuxFiles.RWF_DSYNC));
      MemorySegment read = arena.allocateFrom("----------");
      assertEquals(5, LinuxFiles.pread(fd, read, 4, 5, 0));
      assertEquals("----34789-", read.getString(0));
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void lengthBeyondTheBufferNeverReachesTheKernel() throws Exception {
    int fd = create("short", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8);
      assertThrows(IndexOutOfBoundsException.class, () -> LinuxFiles.pwrite(fd, buffer, 0, 9, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> LinuxFiles.pread(fd, buffer, 0, -1, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> LinuxFiles.pread(fd, buffer, 1, 8, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> LinuxFiles.pwrite(fd, buffer, -1, 1, 0));
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> LinuxFiles.pwrite(fd, buffer, 8, 1, 0, LinuxFiles.RWF_DSYNC));
      assertEquals(0, LinuxFiles.statx(fd).sizeBytes());
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void statusTellsTypeIdentityAndSaneAlignment() throws Exception {
    int fd = create("status", O_DIRECT);
    try {
      FileStatus status = LinuxFiles.statx(fd);
      assertTrue(status.isRegularFile());
      assertFalse(status.isDirectory());
      assertEquals(PRIVATE, status.mode() & 0777);
      assertEquals(1, status.hardLinks());
      assertEquals(Files.getAttribute(directory.resolve("status"), "unix:ino"), status.inode());
      assertEquals(Files.getAttribute(directory.resolve("status"), "unix:dev"), status.device());
      for (int alignment :
          new int[] {status.directMemoryAlignmentBytes(), status.directOffsetAlignmentBytes()}) {
        assertTrue(
            alignment == 0 || (Integer.bitCount(alignment) == 1 && alignment <= 65536),
            status.toString());
      }

      FileStatus cold = LinuxFiles.fstat(fd);
      assertEquals(
          new FileStatus(
              status.sizeBytes(),
              status.mode(),
              status.inode(),
              status.device(),
              status.hardLinks(),
              0,
              0,
              0,
              0,
              0,
              0),
          cold);
      Files.delete(directory.resolve("status"));
      assertEquals(0, LinuxFiles.statx(fd).hardLinks());
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void directoryCanBeSynced() throws Exception {
    int fd = LinuxFiles.open(directory, O_RDONLY | O_DIRECTORY, 0);
    assertTrue(LinuxFiles.statx(fd).isDirectory());
    LinuxFiles.fsync(fd);
    LinuxFiles.close(fd);
  }

  @Test
  void descriptorsAreNotInherited() throws Exception {
    int fd = create("private", 0);
    int counter = LinuxFiles.eventfd(0, 0);
    try {
      for (int each : new int[] {fd, counter}) {
        String flags =
            Files.readAllLines(Path.of("/proc/self/fdinfo/" + each)).stream()
                .filter(line -> line.startsWith("flags:"))
                .findFirst()
                .orElseThrow();
        int octal = Integer.parseInt(flags.substring("flags:".length()).strip(), 8);
        assertEquals(OpenFlags.O_CLOEXEC, octal & OpenFlags.O_CLOEXEC, flags);
      }
    } finally {
      LinuxFiles.close(fd);
      LinuxFiles.close(counter);
    }
  }

  @Test
  void eventCounterSumsAndEmpties() throws Exception {
    int fd = LinuxFiles.eventfd(2, LinuxFiles.EFD_NONBLOCK);
    try {
      LinuxFiles.eventfdWrite(fd, 40);
      assertEquals(42, LinuxFiles.eventfdRead(fd));
      ErrnoException e = assertThrows(ErrnoException.class, () -> LinuxFiles.eventfdRead(fd));
      assertEquals("EAGAIN", e.errnoName());
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void pathsOutsideAsciiAreOpenedAsJavaNamesThem() throws Exception {
    // The locale of a build may be one in which such a path cannot even be written down.
    assumeTrue("UTF-8".equals(System.getProperty("sun.jnu.encoding")));
    Path path = Files.createFile(directory.resolve("pr\u00fcfung"));
    int fd = LinuxFiles.open(path, O_RDONLY, 0);
    LinuxFiles.close(fd);
    assertThrows(IllegalArgumentException.class, () -> LinuxFiles.nativeName(path, "ISO-8859-1"));
  }

  @Test
  void asciiPathsAreOpenedInAnyLocale() {
    Path path = Path.of("plain");
    assertEquals("plain", LinuxFiles.nativeName(path, "ANSI_X3.4-1968"));
    assertEquals("plain", LinuxFiles.nativeName(path, "UTF-8"));
  }

  @Test
  void writeWithFlagsWritesAndSyncs() throws Exception {
    int fd = create("flags", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4096);
      buffer.fill((byte) 9);
      assertEquals(4096, LinuxFiles.pwrite(fd, buffer, 0, 4096, 4096, LinuxFiles.RWF_DSYNC));
      buffer.fill((byte) 0);
      assertEquals(4096, LinuxFiles.pread(fd, buffer, 0, 4096, 4096));
      assertEquals(9, buffer.get(ValueLayout.JAVA_BYTE, 4095));
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> LinuxFiles.pwrite(fd, buffer, 0, 4097, 0, LinuxFiles.RWF_DSYNC));
      ErrnoException unknown =
          assertThrows(
              ErrnoException.class, () -> LinuxFiles.pwrite(fd, buffer, 0, 4096, 0, 1 << 30));
      assertEquals(Errno.EOPNOTSUPP, unknown.errno());
    } finally {
      LinuxFiles.close(fd);
    }
  }

  @Test
  void statusOfBlockDeviceTellsSizeAndBlock() throws Exception {
    Path image = directory.resolve("disk");
    int fd = create("disk", 0);
    LinuxFiles.ftruncate(fd, 1 << 20);
    LinuxFiles.close(fd);
    for (int blockBytes : new int[] {512, 4096}) {
      Path device = attach(image, blockBytes);
      try {
        int block = LinuxFiles.open(device, OpenFlags.O_RDONLY, 0);
        try {
          FileStatus status = LinuxFiles.statx(block);
          assertTrue(status.isBlockDevice());
          assertEquals(1 << 20, status.sizeBytes());
          assertEquals(blockBytes, status.logicalBlockBytes());
        } finally {
          LinuxFiles.close(block);
        }
      } finally {
        CProgram.run("losetup", "-d", device.toString());
      }
    }
  }

  private static Path attach(Path image, int blockBytes) throws Exception {
    Process losetup =
        new ProcessBuilder(
                "losetup", "-f", "--show", "-b", Integer.toString(blockBytes), image.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String name = new String(losetup.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assumeTrue(losetup.waitFor() == 0, "loop devices need root and a kernel that has them");
    return Path.of(name.strip());
  }

  @Test
  void punchedHoleReadsAsZeros() throws Exception {
    int fd = create("hole", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8192);
      buffer.fill((byte) 7);
      assertEquals(8192, LinuxFiles.pwrite(fd, buffer, 0, 8192, 0));
      LinuxFiles.fallocate(
          fd, LinuxFiles.FALLOC_FL_PUNCH_HOLE | LinuxFiles.FALLOC_FL_KEEP_SIZE, 0, 4096);
      assertEquals(8192, LinuxFiles.pread(fd, buffer, 0, 8192, 0));
      assertEquals(0, buffer.get(ValueLayout.JAVA_BYTE, 4095));
      assertEquals(7, buffer.get(ValueLayout.JAVA_BYTE, 4096));
    } finally {
      LinuxFiles.close(fd);
    }
  }
}
