package io.ewok.gds.ffm;

import io.ewok.gds.ffm.natives.Gds;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Loads {@code libgds.so}, once, on the first use of any binding.
 *
 * <p>The library is a resource of the platform's jar. It is checked against the SHA-256 beside it,
 * written to a file that only this user can read, in a directory that only this user can enter,
 * below {@code java.io.tmpdir}, and removed as soon as it is mapped. Where no directory may hold
 * such a file, {@code -Dgds.native.path=FILE} names one that was put there by the administrator; it
 * is loaded as it is.
 *
 * <p>It stays loaded until the process ends. Threads: any.
 *
 * <p>Errors: {@link UnsatisfiedLinkError}, with a sentence that says what to change.
 */
public final class NativeLibrary {

  /** System property: a file to load instead of the jar's resource. */
  public static final String PATH_PROPERTY = "gds.native.path";

  private static final String FILE = "libgds.so";

  /* Guarded by the class lock. */
  private static SymbolLookup symbols;

  private NativeLibrary() {}

  /**
   * Loads the library unless it is loaded, so that a program can fail at its start instead of at
   * its first call. Whatever is the first use of native memory or files calls it each time: a
   * binding whose class could not be initialized says only the first time why.
   *
   * @throws UnsatisfiedLinkError if there is no library for this platform, its bytes are not those
   *     that were packed, it is of another version, or native access is denied
   */
  public static void load() {
    symbols();
    int version = Gds.gds_abi_version();
    if (version != Gds.GDS_ABI_VERSION()) {
      throw linkError(
          "libgds.so is of another version than these classes: expected="
              + Gds.GDS_ABI_VERSION()
              + " actual="
              + version,
          null);
    }
  }

  /**
   * The symbols of the library. For the generated bindings, which begin with this call.
   *
   * @throws UnsatisfiedLinkError as {@link #load()}
   */
  public static synchronized SymbolLookup symbols() {
    if (symbols == null) {
      symbols = open();
    }
    return symbols;
  }

  /** The error for a JVM that was told to refuse this module's native calls. */
  public static UnsatisfiedLinkError accessDenied(IllegalCallerException denied) {
    boolean onClassPath = !NativeLibrary.class.getModule().isNamed();
    return linkError(
        "GDS needs native access; start java with --enable-native-access="
            + modulesWithAccess()
            + (onClassPath
                ? ", or a jar whose manifest says Enable-Native-Access: ALL-UNNAMED"
                : ""),
        denied);
  }

  /**
   * Argument of {@code --enable-native-access} with which nothing is denied and nothing warned of.
   */
  static String modulesWithAccess() {
    Module module = NativeLibrary.class.getModule();
    return module.isNamed() ? module.getName() + ",org.jnrproject.jffi" : "ALL-UNNAMED";
  }

  private static SymbolLookup open() {
    String configured = System.getProperty(PATH_PROPERTY);
    return configured == null
        ? extractAndLoad(
            NativeLibrary.class.getClassLoader(), Path.of(System.getProperty("java.io.tmpdir")))
        : loadConfigured(Path.of(configured));
  }

  static SymbolLookup loadConfigured(Path file) {
    if (!Files.isRegularFile(file)) {
      throw linkError("-D" + PATH_PROPERTY + " must name libgds.so itself: path=" + file, null);
    }
    return map(file, "check the file that -D" + PATH_PROPERTY + " names");
  }

  static SymbolLookup extractAndLoad(ClassLoader resources, Path parent) {
    byte[] library = verified(resources, platform());
    Path file;
    try {
      file = writePrivately(library, parent);
    } catch (IOException e) {
      throw linkError(
          "libgds.so could not be written; name another directory with -Djava.io.tmpdir or an "
              + "installed libgds.so with -D"
              + PATH_PROPERTY
              + ": directory="
              + parent,
          e);
    }
    try {
      return map(
          file,
          "if that directory forbids execution, name another with -Djava.io.tmpdir or put "
              + "libgds.so where it may run and name it with -D"
              + PATH_PROPERTY);
    } finally {
      // Mapped or not, the name is of no further use.
      removeQuietly(file);
      removeQuietly(file.getParent());
    }
  }

  static Path writePrivately(byte[] library, Path parent) throws IOException {
    Path directory =
        Files.createTempDirectory(
            parent,
            "gds",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path file = directory.resolve(FILE);
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      return Files.write(file, library, StandardOpenOption.WRITE);
    } catch (IOException e) {
      removeQuietly(file);
      removeQuietly(directory);
      throw e;
    }
  }

  private static SymbolLookup map(Path file, String advice) {
    try {
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global());
    } catch (IllegalCallerException denied) {
      throw accessDenied(denied);
    } catch (IllegalArgumentException e) {
      throw linkError(
          "libgds.so was refused by the dynamic linker; " + advice + ": path=" + file, e);
    }
  }

  private static byte[] verified(ClassLoader resources, String platform) {
    String name = "META-INF/gds/" + platform + "/" + FILE;
    byte[] library = resource(resources, name, platform);
    String expected =
        new String(resource(resources, name + ".sha256", platform), StandardCharsets.US_ASCII)
            .strip();
    String actual;
    try {
      actual = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(library));
    } catch (NoSuchAlgorithmException e) {
      throw linkError("this JVM has no SHA-256 to check libgds.so with", e);
    }
    if (!actual.equals(expected)) {
      throw linkError(
          "libgds.so is not the one that was packed; its jar is damaged or was changed: expected="
              + expected
              + " actual="
              + actual,
          null);
    }
    return library;
  }

  private static byte[] resource(ClassLoader resources, String name, String platform) {
    try (InputStream in = resources.getResourceAsStream(name)) {
      if (in == null) {
        throw linkError(
            "there is no libgds.so for this platform on the class or module path; GDS runs on "
                + "Linux with glibc and needs the gds-native jar of: platform="
                + platform,
            null);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw linkError("libgds.so could not be read: resource=" + name, e);
    }
  }

  static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch");
    return system + "-" + (machine.equals("amd64") ? "x86_64" : machine);
  }

  private static void removeQuietly(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      System.getLogger(NativeLibrary.class.getName())
          .log(System.Logger.Level.WARNING, "a temporary file stays behind: path=" + path, e);
    }
  }

  private static UnsatisfiedLinkError linkError(String message, Throwable cause) {
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }
}
