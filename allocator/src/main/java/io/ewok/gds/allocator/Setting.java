package io.ewok.gds.allocator;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What there is to say of one setting. Options that read themselves from settings ({@code from})
 * return a list of these ({@code settings}); names that look like theirs and are not in it they
 * refuse. So what tools print of settings is what is read.
 *
 * <p>A value; threads: any.
 *
 * {@snippet :
 * Setting depth =
 *     Setting.of("io.queue-depth", "64", "1 to 4096 operations", "what the kernel has at once")
 *         .change("the device has many channels", "latency where they are busy");
 * }
 *
 * @param name in settings
 * @param byDefault the text of the value that it has where nothing is said; reading it gives the
 *     default
 * @param form what its values look like, with units and limits
 * @param meaning what it says
 * @param change when to change it
 * @param cost what that costs
 */
public record Setting(
    String name, String byDefault, String form, String meaning, String change, String cost) {

  /** Checks that nothing is missing; the default alone may be an empty text. */
  public Setting {
    Objects.requireNonNull(byDefault, "byDefault");
    for (String part : List.of(name, form, meaning, change, cost)) {
      if (part.isBlank()) {
        throw new IllegalArgumentException("a setting says all of it: name=" + name);
      }
    }
  }

  /** What a setting is, before it is said when to change it. */
  public record Draft(String name, String byDefault, String form, String meaning) {
    /** Returns the whole. */
    public Setting change(String when, String cost) {
      return new Setting(name, byDefault, form, meaning, when, cost);
    }
  }

  /** Begins with what a setting is; {@link Draft#change} ends it. */
  public static Draft of(String name, String byDefault, String form, String meaning) {
    return new Draft(name, byDefault, form, meaning);
  }

  /** Returns their names. */
  public static Set<String> names(List<Setting> settings) {
    return settings.stream().map(Setting::name).collect(Collectors.toUnmodifiableSet());
  }
}
