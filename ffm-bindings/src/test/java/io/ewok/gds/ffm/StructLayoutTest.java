package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.liburing.Liburing;
import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.UnionLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares what the bindings believe of structures and constants with what the C compiler says on
 * this machine, whose headers may be newer than those from which the bindings were generated.
 */
class StructLayoutTest {

  private static final String INCLUDES =
      """
      #include <fcntl.h>
      #include <linux/falloc.h>
      #include <linux/fs.h>
      #include <liburing.h>
      #include <stddef.h>
      #include <stdio.h>
      #include <sys/eventfd.h>
      #include "gds.h"
      #ifndef RWF_ATOMIC /* before Linux 6.11 */
      #define RWF_ATOMIC 0x40
      #endif
      """;

  /* Reserved fields are what later headers turn into others; their place is checked by that of their neighbours. */
  private static final Pattern RESERVED = Pattern.compile("_*(pad|resv)\\d*");

  @TempDir(factory = BuildDirectory.class)
  Path directory;

  @Test
  void everyStructHasTheCompilersSizeAndOffsets() throws Exception {
    Map<String, Long> bound = new TreeMap<>();
    Map<String, String> expressions = new TreeMap<>();
    List<Class<?>> structs = structs();
    for (Class<?> struct : structs) {
      String type = "struct " + struct.getSimpleName();
      GroupLayout layout = (GroupLayout) struct.getMethod("layout").invoke(null);
      bound.put("sizeof " + type, layout.byteSize());
      expressions.put("sizeof " + type, "sizeof(" + type + ")");
      bound.put("alignof " + type, layout.byteAlignment());
      expressions.put("alignof " + type, "_Alignof(" + type + ")");
      collect(layout, type, "", 0, bound, expressions);
    }
    assertTrue(structs.size() >= 14, "structs=" + structs);
    assertTrue(
        bound.containsKey("offsetof struct io_uring cq.kflags"), "nested structs are left out");
    assertTrue(
        bound.containsKey("offsetof struct io_uring_sqe buf_index"),
        "anonymous unions are left out");
    assertTrue(
        bound.containsKey("offsetof struct io_uring_sqe addr_len"),
        "structs in unions are left out");
    assertEquals(compiled(expressions), bound);
  }

  @Test
  void everyConstantHasTheCompilersValue() throws Exception {
    Map<String, Long> bound = new TreeMap<>();
    for (Method method : Liburing.class.getMethods()) {
      if (method.getName().matches("IO[A-Z0-9_]+") && method.getParameterCount() == 0) {
        bound.put(method.getName(), ((Number) method.invoke(null)).longValue());
      }
    }
    assertTrue(bound.size() > 60, "constants=" + bound.keySet());
    for (Class<?> holder : List.of(OpenFlags.class, LinuxFiles.class, Errno.class)) {
      for (Field field : holder.getFields()) {
        if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
          bound.put(field.getName(), field.getLong(null));
        }
      }
    }
    assertTrue(bound.containsKey("O_DIRECT") && bound.containsKey("ENOSPC"));
    Map<String, String> expressions = new TreeMap<>();
    bound.keySet().forEach(name -> expressions.put(name, "(int) " + name));
    assertEquals(compiled(expressions), bound);
  }

  @Test
  void swappedFieldsWouldBeSeen() throws Exception {
    GroupLayout swapped =
        MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG.withName("iov_len"), ValueLayout.ADDRESS.withName("iov_base"));
    Map<String, Long> bound = new TreeMap<>();
    Map<String, String> expressions = new TreeMap<>();
    collect(swapped, "struct iovec", "", 0, bound, expressions);
    assertNotEquals(compiled(expressions), bound);
  }

  private static void collect(
      GroupLayout group,
      String type,
      String prefix,
      long base,
      Map<String, Long> bound,
      Map<String, String> expressions) {
    long offset = base;
    for (MemoryLayout member : group.memberLayouts()) {
      String name = member.name().orElse("");
      boolean anonymous = name.isEmpty() || name.startsWith("$anon$");
      if (!anonymous && !RESERVED.matcher(name).matches()) {
        String path = prefix + name;
        bound.put("offsetof " + type + " " + path, offset);
        expressions.put("offsetof " + type + " " + path, "offsetof(" + type + ", " + path + ")");
        if (!(member instanceof SequenceLayout array && array.elementCount() == 0)) {
          bound.put("sizeof " + type + " " + path, member.byteSize());
          expressions.put(
              "sizeof " + type + " " + path, "sizeof(((" + type + " *) 0)->" + path + ")");
        }
      }
      if (member instanceof GroupLayout nested) {
        String inner = anonymous ? prefix : prefix + name + ".";
        collect(nested, type, inner, offset, bound, expressions);
      } else {
        assertTrue(!anonymous || member instanceof PaddingLayout, type + " " + member);
      }
      if (!(group instanceof UnionLayout)) {
        offset += member.byteSize();
      }
    }
  }

  private Map<String, Long> compiled(Map<String, String> expressions) throws Exception {
    StringBuilder source = new StringBuilder(INCLUDES).append("int main(void)\n{\n");
    expressions.forEach(
        (name, expression) ->
            source
                .append("    printf(\"%s=%lld\\n\", \"")
                .append(name)
                .append("\", (long long) (")
                .append(expression)
                .append("));\n"));
    source.append("    return 0;\n}\n");
    Path program = CProgram.compile(source.toString(), directory.resolve("layout"));
    Map<String, Long> values = new TreeMap<>();
    for (String line : CProgram.run(program.toString())) {
      int equals = line.lastIndexOf('=');
      values.put(line.substring(0, equals), Long.valueOf(line.substring(equals + 1)));
    }
    return values;
  }

  /* Found among the sources, so that a struct that is bound later is not forgotten. */
  private static List<Class<?>> structs() throws IOException, ReflectiveOperationException {
    Path sources = Path.of("src/generated/java");
    List<Class<?>> structs = new ArrayList<>();
    try (Stream<Path> files = Files.walk(sources)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).sorted().toList()) {
        String name = sources.relativize(file).toString().replace(".java", "").replace('/', '.');
        if (!name.endsWith("package-info")
            && Stream.of(
                    Class.forName(name, false, StructLayoutTest.class.getClassLoader())
                        .getMethods())
                .anyMatch(method -> method.getName().equals("layout"))) {
          structs.add(Class.forName(name));
        }
      }
    }
    return structs;
  }
}
