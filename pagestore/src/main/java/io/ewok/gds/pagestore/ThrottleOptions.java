package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How much of a device an engine may use: caps on all its work together, and limits by class. A
 * transfer waits until every cap that applies to it admits it. {@link ClassStats} counts how many
 * waited, and how long; who was held back for 10 ms or more is recorded as a JFR event, {@code
 * io.ewok.gds.IoThrottled}.
 *
 * @param read cap on all reads; default none
 * @param write cap on all writes; default none. Syncs are not charged.
 * @param classes limits by class; what is missing has {@link ClassLimits#NONE}
 */
public record ThrottleOptions(IoRate read, IoRate write, Map<WorkClass, ClassLimits> classes) {
  /** No limits: the engine does not look at classes, and transfers take the shortest way. */
  public static final ThrottleOptions UNLIMITED =
      new ThrottleOptions(IoRate.UNLIMITED, IoRate.UNLIMITED, Map.of());

  private static final Pattern NAMES = Pattern.compile("throttle\\..*");
  private static final String PREFIX = "throttle.";
  private static final String READ = "read";
  private static final String WRITE = "write";
  private static final String SHARE = "share";
  private static final String DEPTH = "depth";
  private static final String UNLIMITED_TEXT = "unlimited";
  private static final String RATE_FORM =
      "operations/bytes per second, such as 10K/100MB, 10K or /100MB; or unlimited";

  private static final List<Setting> SETTINGS = described();

  private static List<Setting> described() {
    List<Setting> settings = new ArrayList<>();
    for (String what : List.of(READ, WRITE)) {
      settings.add(
          Setting.of(
                  PREFIX + what,
                  UNLIMITED_TEXT,
                  RATE_FORM,
                  "cap on all "
                      + what
                      + "s of the engine"
                      + (what.equals(WRITE) ? ", not on syncs" : ""))
              .change(
                  "the device is shared, or paid for by what it does",
                  "work waits that the device could do"));
    }
    for (WorkClass work : WorkClass.values()) {
      settings.addAll(described(work));
    }
    return List.copyOf(settings);
  }

  private static List<Setting> described(WorkClass work) {
    String own = PREFIX + work.settingName() + ".";
    String whose = "work of the class " + work.settingName();
    return List.of(
        Setting.of(own + READ, UNLIMITED_TEXT, RATE_FORM, "cap on reads for " + whose)
            .change("it disturbs what others wait for", "it takes longer"),
        Setting.of(own + WRITE, UNLIMITED_TEXT, RATE_FORM, "cap on writes for " + whose)
            .change("it disturbs what others wait for", "it takes longer"),
        Setting.of(
                own + SHARE,
                Integer.toString(ClassLimits.SHARE_DEFAULT),
                "1 to " + ClassLimits.SHARE_MAX,
                "part of the device, relative to other classes, for "
                    + whose
                    + " where they compete"
                    + (work == WorkClass.LOG ? "; of no meaning, since it goes first" : ""))
            .change("it matters more than others, or less", "others get less"),
        Setting.of(
                own + DEPTH,
                UNLIMITED_TEXT,
                "from 1, or unlimited",
                "operations that the device has at once for " + whose)
            .change("it fills the queue of the device", "it takes longer"));
  }

  /** Takes a copy of the map, without entries that limit nothing. */
  public ThrottleOptions {
    Objects.requireNonNull(read, "read");
    Objects.requireNonNull(write, "write");
    EnumMap<WorkClass, ClassLimits> limiting = new EnumMap<>(WorkClass.class);
    limiting.putAll(classes);
    limiting.values().removeIf(ClassLimits.NONE::equals);
    classes = Map.copyOf(limiting);
  }

  /** Returns no limits, but those of the settings, see {@link #with(Map)}. */
  public static ThrottleOptions from(Map<String, String> settings) {
    return UNLIMITED.with(settings);
  }

  /**
   * Returns these limits, changed by the settings that begin with {@code throttle.}: caps on the
   * whole are {@code throttle.read} and {@code throttle.write} (texts as in {@link IoRate}); limits
   * of a class, as in {@code throttle.backup.read}, are {@code read}, {@code write}, {@code share}
   * and {@code depth} (a number, or {@code unlimited}). Classes are {@code log}, {@code
   * foreground}, {@code cleaner}, {@code compaction} and {@code backup}. Other settings are not
   * ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public ThrottleOptions with(Map<String, String> settings) {
    ThrottleOptions options =
        new ThrottleOptions(
            rate(settings, PREFIX + READ, read), rate(settings, PREFIX + WRITE, write), classes);
    for (WorkClass work : WorkClass.values()) {
      String own = PREFIX + work.settingName() + ".";
      ClassLimits before = of(work);
      options =
          options.with(
              work,
              new ClassLimits(
                  rate(settings, own + READ, before.read()),
                  rate(settings, own + WRITE, before.write()),
                  Settings.readInt(settings, own + SHARE, before.share()),
                  depth(settings, own + DEPTH, before.depth())));
    }
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return options;
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static int depth(Map<String, String> settings, String name, int otherwise) {
    return UNLIMITED_TEXT.equals(settings.get(name))
        ? ClassLimits.DEPTH_UNLIMITED
        : Settings.readInt(settings, name, otherwise);
  }

  /** Returns the setting of a cap, on a class or, for null, on the whole. */
  static String capName(WorkClass work, boolean write) {
    return PREFIX + (work == null ? "" : work.settingName() + ".") + (write ? WRITE : READ);
  }

  private static IoRate rate(Map<String, String> settings, String name, IoRate otherwise) {
    return Settings.read(settings, name, text -> IoRate.parse(name, text), otherwise);
  }

  /** Returns the limits of a class. */
  public ClassLimits of(WorkClass work) {
    return classes.getOrDefault(work, ClassLimits.NONE);
  }

  /** Returns these options with another cap on all reads. */
  public ThrottleOptions withRead(IoRate read) {
    return new ThrottleOptions(read, write, classes);
  }

  /** Returns these options with another cap on all writes. */
  public ThrottleOptions withWrite(IoRate write) {
    return new ThrottleOptions(read, write, classes);
  }

  /** Returns these options with other limits of one class. */
  public ThrottleOptions with(WorkClass work, ClassLimits limits) {
    EnumMap<WorkClass, ClassLimits> changed = new EnumMap<>(WorkClass.class);
    changed.putAll(classes);
    changed.put(work, limits);
    return new ThrottleOptions(read, write, changed);
  }
}
