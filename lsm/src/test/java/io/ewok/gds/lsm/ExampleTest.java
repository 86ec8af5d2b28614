package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.pagestore.IoEngine;
import java.io.File;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documentation of the package shows is compiled and run as it is printed there. */
class ExampleTest {
  private static final Path SOURCE =
      Path.of(
          System.getProperty("basedir", "."), "src/main/java/io/ewok/gds/lsm/package-info.java");

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String text) {
      super(URI.create("string:///Example.java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  @Test
  void exampleOfThePackageCompilesAndDoesWhatItSays(@TempDir Path directory) throws Exception {
    String example = example(Files.readString(SOURCE));
    assertTrue(example.lines().count() <= 6, "short enough to be read: " + example);
    String program =
        """
        import io.ewok.gds.lsm.*;
        public final class Example {
          public static byte[] run(java.nio.file.Path directory, byte[] key, byte[] value)
              throws Exception {
        %s
            return found;
          }
        }
        """
            .formatted(example.replace("byte[] found", "found").indent(4));
    program = program.replace("throws Exception {", "throws Exception {\n    byte[] found;");
    Path classes = Files.createDirectory(directory.resolve("classes"));
    compile(program, classes);
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {classes.toUri().toURL()}, Store.class.getClassLoader())) {
      Method run =
          loader.loadClass("Example").getMethod("run", Path.class, byte[].class, byte[].class);
      Object found =
          run.invoke(
              null, directory.resolve("store"), Fixtures.bytes("key"), Fixtures.bytes("value"));
      assertEquals("value", Fixtures.text((byte[]) found));
    }
  }

  /** The text of the snippet. */
  private static String example(String source) {
    String begin = "{@snippet :";
    int from = source.indexOf(begin) + begin.length();
    String text = source.substring(from, source.lastIndexOf("\n * }\n"));
    return text.lines()
        .filter(line -> line.startsWith(" * "))
        .map(line -> line.substring(3))
        .collect(Collectors.joining("\n"));
  }

  private static void compile(String program, Path classes) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    String path =
        Stream.of(Store.class, BufferManager.class, IoEngine.class, Region.class)
            .map(type -> Path.of(location(type)).toString())
            .collect(Collectors.joining(File.pathSeparator));
    boolean compiled =
        compiler
            .getTask(
                null,
                null,
                null,
                List.of("-d", classes.toString(), "-cp", path, "-proc:none"),
                null,
                List.of(new Source(program)))
            .call();
    assertTrue(compiled, program);
  }

  private static URI location(Class<?> type) {
    return URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString());
  }
}
