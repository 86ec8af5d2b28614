package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.unchecked.Memory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {

  private static final String LIBRARY = "META-INF/gds/" + NativeLibrary.platform() + "/libgds.so";

  private static final List<Class<?>> MAINS =
      List.of(LoadMain.class, MemoryMain.class, MapMain.class, ProbeMain.class, FilesMain.class);

  @TempDir(factory = BuildDirectory.class)
  Path directory;

  @Test
  void theLibraryOfThisPlatformIsLoadedAndLeavesNoFile() throws Exception {
    assertTrue(
        NativeLibrary.extractAndLoad(getClass().getClassLoader(), directory)
            .find("io_uring_queue_init_params")
            .isPresent());
    assertEquals(List.of(), entries(directory));
    NativeLibrary.load();
  }

  @Test
  void theFileIsPrivateWhileItExists() throws Exception {
    Path file = NativeLibrary.writePrivately(bytes(LIBRARY), directory);
    assertEquals("rw-------", permissions(file));
    assertEquals("rwx------", permissions(file.getParent()));
    assertEquals(directory, file.getParent().getParent());
    assertArrayEquals(bytes(LIBRARY), Files.readAllBytes(file));
  }

  @Test
  void changedBytesAreRefused() throws Exception {
    byte[] library = bytes(LIBRARY);
    library[library.length / 2] ^= 1;
    ClassLoader changed =
        new Resources(Map.of(LIBRARY, library, LIBRARY + ".sha256", bytes(LIBRARY + ".sha256")));
    UnsatisfiedLinkError e =
        assertThrows(
            UnsatisfiedLinkError.class, () -> NativeLibrary.extractAndLoad(changed, directory));
    assertTrue(e.getMessage().contains("expected="), e.getMessage());
    assertEquals(List.of(), entries(directory));
  }

  @Test
  void anotherPlatformIsNamed() {
    UnsatisfiedLinkError e =
        assertThrows(
            UnsatisfiedLinkError.class,
            () -> NativeLibrary.extractAndLoad(new Resources(Map.of()), directory));
    assertTrue(e.getMessage().endsWith("platform=" + NativeLibrary.platform()), e.getMessage());
  }

  @Test
  void aDirectoryThatCannotBeWrittenIsNamed() {
    Path missing = directory.resolve("missing");
    UnsatisfiedLinkError e =
        assertThrows(
            UnsatisfiedLinkError.class,
            () -> NativeLibrary.extractAndLoad(getClass().getClassLoader(), missing));
    assertTrue(e.getMessage().endsWith("directory=" + missing), e.getMessage());
    assertTrue(e.getMessage().contains(NativeLibrary.PATH_PROPERTY), e.getMessage());
  }

  @Test
  void theConfiguredFileIsUsedAndNothingIsExtracted() throws Exception {
    Path library = Files.write(directory.resolve("ours.so"), bytes(LIBRARY));
    Path empty = Files.createDirectory(directory.resolve("empty"));
    ChildJvm.Result result =
        ChildJvm.run(
            LoadMain.class,
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + empty.toAbsolutePath(),
                "-D" + NativeLibrary.PATH_PROPERTY + "=" + library));
    assertEquals(new ChildJvm.Result(0, "ours.so\n"), result);
    assertTrue(Files.exists(library));
    assertEquals(List.of(), entries(empty));
  }

  @Test
  void aConfiguredFileThatIsNoLibraryIsNamed() throws Exception {
    Path text = Files.writeString(directory.resolve("text.so"), "not a library");
    UnsatisfiedLinkError e =
        assertThrows(UnsatisfiedLinkError.class, () -> NativeLibrary.loadConfigured(text));
    assertTrue(e.getMessage().endsWith("path=" + text), e.getMessage());
    e = assertThrows(UnsatisfiedLinkError.class, () -> NativeLibrary.loadConfigured(directory));
    assertTrue(e.getMessage().endsWith("path=" + directory), e.getMessage());
  }

  @Test
  void deniedNativeAccessNamesTheFlagToPass() throws Exception {
    for (Class<?> main : MAINS) {
      ChildJvm.Result result = ChildJvm.run(main, List.of("--illegal-native-access=deny"));
      assertEquals(1, result.exitCode(), result.output());
      assertTrue(
          result.output().lines().findFirst().orElseThrow().contains("--enable-native-access="),
          result.output());
    }
  }

  @Test
  void enabledNativeAccessStartsWithoutAWord() throws Exception {
    for (Class<?> main : MAINS) {
      ChildJvm.Result result =
          ChildJvm.run(
              main,
              List.of(
                  "--enable-native-access=ALL-UNNAMED",
                  "--illegal-native-access=deny",
                  "--sun-misc-unsafe-memory-access=deny"));
      assertEquals(new ChildJvm.Result(0, ""), result);
    }
  }

  @Test
  void onTheModulePathTwoModulesNeedAccessAndNothingElse() throws Exception {
    for (Class<?> main : MAINS) {
      ChildJvm.Result result =
          ChildJvm.runAsModule(
              main,
              List.of(
                  "--enable-native-access=io.ewok.gds.ffm,org.jnrproject.jffi",
                  "--illegal-native-access=deny",
                  "--sun-misc-unsafe-memory-access=deny"));
      assertEquals(new ChildJvm.Result(0, ""), result);
      result =
          ChildJvm.runAsModule(
              main, List.of("--enable-native-access=java.base", "--illegal-native-access=deny"));
      assertEquals(1, result.exitCode(), result.output());
      assertTrue(
          result.output().contains("--enable-native-access=io.ewok.gds.ffm,org.jnrproject.jffi"),
          result.output());
    }
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static byte[] bytes(String resource) throws IOException {
    try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
      return in.readAllBytes();
    }
  }

  private static List<Path> entries(Path directory) throws IOException {
    try (var entries = Files.list(directory)) {
      return entries.toList();
    }
  }

  /** A class path with nothing but some resources. */
  private static final class Resources extends ClassLoader {
    private final Map<String, byte[]> resources;

    Resources(Map<String, byte[]> resources) {
      super(null);
      this.resources = resources;
    }

    @Override
    public InputStream getResourceAsStream(String name) {
      byte[] bytes = resources.get(name);
      return bytes == null ? null : new ByteArrayInputStream(bytes);
    }
  }

  /** Loads the library and prints the file from which it is mapped, unless that is gone. */
  static final class LoadMain {
    private LoadMain() {}

    public static void main(String[] args) throws IOException {
      NativeLibrary.load();
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        if (line.endsWith("ours.so")) {
          System.out.println("ours.so");
          break;
        }
      }
    }
  }

  static final class MemoryMain {
    private MemoryMain() {}

    public static void main(String[] args) {
      Memory.view(0, 0);
    }
  }

  static final class MapMain {
    private MapMain() {}

    public static void main(String[] args) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        LinuxMemory.map(1, 1, arena);
      }
    }
  }

  static final class ProbeMain {
    private ProbeMain() {}

    public static void main(String[] args) {
      UringProbe.probe();
    }
  }

  static final class FilesMain {
    private FilesMain() {}

    public static void main(String[] args) throws IOException {
      LinuxFiles.close(LinuxFiles.open(Path.of("/"), OpenFlags.O_RDONLY, 0));
      LinuxFiles.close(LinuxFiles.eventfd(0, 0));
    }
  }
}
