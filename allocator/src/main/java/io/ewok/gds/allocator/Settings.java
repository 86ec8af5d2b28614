package io.ewok.gds.allocator;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Reads options from settings by name, which components share: each takes what is its own. */
final class Settings {
  private Settings() {}

  /**
   * Refuses names that look like those of a component and are none of them: misspelt, most likely.
   *
   * @param own what its names look like
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  static void requireKnown(Map<String, String> settings, Pattern own, Set<String> known) {
    settings.forEach(
        (name, value) -> {
          if (own.matcher(name).matches() && !known.contains(name)) {
            throw new IllegalArgumentException(
                "there is no such setting, only "
                    + new TreeSet<>(known)
                    + ": "
                    + name
                    + "="
                    + value);
          }
        });
  }

  /** Returns what a reader makes of a setting, or a default if it is missing or null. */
  static <T> T read(
      Map<String, String> settings, String name, Function<String, T> reader, T otherwise) {
    String value = settings.get(name);
    return value == null ? otherwise : reader.apply(value);
  }
}
