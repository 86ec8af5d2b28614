package io.ewok.gds.allocator;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Reads options from settings by name, which components share: each takes what is its own. For the
 * {@code from} methods of options; applications call those.
 *
 * <p>Threads: any.
 */
public final class Settings {
  private Settings() {}

  /**
   * Refuses names that look like those of a component and are none of them: misspelt, most likely.
   *
   * @param own what its names look like
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static void requireKnown(Map<String, String> settings, Pattern own, Set<String> known) {
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

  /**
   * Returns what a reader makes of a setting, or a default if it is missing or null.
   *
   * @param reader throws {@link IllegalArgumentException} for what it does not understand
   */
  public static <T> T read(
      Map<String, String> settings, String name, Function<String, T> reader, T otherwise) {
    String value = settings.get(name);
    return value == null ? otherwise : reader.apply(value);
  }

  /**
   * As {@link #read}, of {@code true} or {@code false}, in any case.
   *
   * @throws IllegalArgumentException if it is neither
   */
  public static boolean readBoolean(Map<String, String> settings, String name, boolean otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    return switch (value.strip().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("true or false: " + name + "=" + value);
    };
  }

  /**
   * As {@link #read}, of one of the values that the type of the default has, by its name with a
   * hyphen for each underscore, in any case.
   *
   * @throws IllegalArgumentException if it is none of them
   */
  public static <E extends Enum<E>> E readEnum(
      Map<String, String> settings, String name, E otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    Map<String, E> named = new LinkedHashMap<>();
    for (E each : otherwise.getDeclaringClass().getEnumConstants()) {
      named.put(each.name().toLowerCase(Locale.ROOT).replace('_', '-'), each);
    }
    E found = named.get(value.strip().toLowerCase(Locale.ROOT));
    if (found == null) {
      throw new IllegalArgumentException(
          "one of " + String.join(", ", named.keySet()) + ": " + name + "=" + value);
    }
    return found;
  }

  /**
   * As {@link #read}, of a whole number.
   *
   * @throws IllegalArgumentException if it is none, or does not fit
   */
  public static int readInt(Map<String, String> settings, String name, int otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("this is not a whole number: " + name + "=" + value, e);
    }
  }
}
