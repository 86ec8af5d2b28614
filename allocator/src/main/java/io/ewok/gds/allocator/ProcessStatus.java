package io.ewok.gds.allocator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What the kernel tells of this process in {@code /proc/self/status}.
 *
 * @param fields text by name
 */
record ProcessStatus(Map<String, String> fields) {

  static ProcessStatus read() throws IOException {
    return read(Path.of("/"));
  }

  /** As if {@code root} were the root of the file system. */
  static ProcessStatus read(Path root) throws IOException {
    Map<String, String> fields = new TreeMap<>();
    for (String line : Files.readAllLines(root.resolve("proc/self/status"))) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return new ProcessStatus(fields);
  }

  /** Returns a field, if this kernel has it. */
  Optional<String> text(String name) {
    return Optional.ofNullable(fields.get(name));
  }

  /** Returns a field that is an amount of memory, in bytes. */
  OptionalLong bytes(String name) {
    String text = fields.getOrDefault(name, "");
    return text.matches("[0-9]{1,15} kB")
        ? OptionalLong.of(Long.parseLong(text.substring(0, text.indexOf(' '))) << 10)
        : OptionalLong.empty();
  }
}
