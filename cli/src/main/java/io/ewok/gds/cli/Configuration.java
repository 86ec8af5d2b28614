package io.ewok.gds.cli;

import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CleanerOptions;
import io.ewok.gds.buffers.PageOptions;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.PageFileOptions;
import io.ewok.gds.pagestore.ReadAheadOptions;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.cache.LogReadCacheOptions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the user wants of a store and its engine: settings from a file and from the command line,
 * and where each was said.
 *
 * <p>A value; any thread.
 */
final class Configuration {
  private static final String DEFAULT = "default";
  private static final int PARTS = 16;
  private static final String LOG_BUFFER = "log.buffer-bytes";

  private final Map<String, Configured> values = new LinkedHashMap<>();

  private Configuration() {}

  /** Of what is said twice the last counts. */
  static Configuration of(List<Configured> values) {
    Configuration configuration = new Configuration();
    values.forEach(value -> configuration.values.put(value.name(), value));
    return configuration;
  }

  /**
   * How stores are opened.
   *
   * @throws CommandFailure if something is wrong, with the first mistake
   */
  StoreOptions options() {
    List<ConfigMistake> mistakes = mistakes();
    if (!mistakes.isEmpty()) {
      String more =
          mistakes.size() == 1
              ? ""
              : " (1 of " + mistakes.size() + " mistakes: 'gds config check' shows all)";
      throw CommandFailure.usage(mistakes.getFirst() + more);
    }
    return read(texts());
  }

  /** All that is wrong, in the order in which it was said. */
  List<ConfigMistake> mistakes() {
    List<ConfigMistake> found = new ArrayList<>();
    Map<String, String> left = texts();
    for (Configured value : values.values()) {
      if (KnownSettings.find(value.name()).isEmpty()) {
        left.remove(value.name());
        found.add(
            new ConfigMistake(
                value,
                "there is no such setting; the nearest is %s: %s=%s"
                    .formatted(KnownSettings.nearest(value.name()), value.name(), value.value())));
      }
    }
    Optional<String> refusal = refusal(left);
    while (refusal.isPresent()) {
      Optional<Configured> culprit = culprit(left, refusal.get());
      found.add(mistake(culprit, refusal.get()));
      if (culprit.isEmpty()) {
        break;
      }
      left.remove(culprit.get().name());
      refusal = refusal(left);
    }
    List<String> order = List.copyOf(values.keySet());
    found.sort(
        Comparator.comparingInt(
            mistake ->
                mistake.atOrNull() == null
                    ? Integer.MAX_VALUE
                    : order.indexOf(mistake.atOrNull().name())));
    return found;
  }

  /** Messages of options name a component; the user has to know the setting. */
  private static ConfigMistake mistake(Optional<Configured> culprit, String refusal) {
    if (culprit.isEmpty()) {
      return new ConfigMistake(null, refusal);
    }
    Configured value = culprit.get();
    return new ConfigMistake(
        value, refusal.contains(value.name() + "=") ? refusal : value.name() + ": " + refusal);
  }

  private static Optional<String> refusal(Map<String, String> texts) {
    try {
      read(texts);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** The value that a refusal names, or else without which there would be none or another. */
  private Optional<Configured> culprit(Map<String, String> texts, String refusal) {
    for (Map.Entry<String, String> text : texts.entrySet()) {
      if (refusal.endsWith(": " + text.getKey() + "=" + text.getValue())) {
        return Optional.of(values.get(text.getKey()));
      }
    }
    for (String name : texts.keySet()) {
      Map<String, String> others = new LinkedHashMap<>(texts);
      others.remove(name);
      if (!refusal(others).equals(Optional.of(refusal))) {
        return Optional.of(values.get(name));
      }
    }
    return Optional.empty();
  }

  private Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    values.forEach((name, value) -> texts.put(name, value.value()));
    return texts;
  }

  private static StoreOptions read(Map<String, String> texts) {
    Map<String, String> ofStores = new HashMap<>();
    Map<String, String> ofPrograms = new HashMap<>();
    texts.forEach(
        (name, text) -> (KnownSettings.isOfStores(name) ? ofStores : ofPrograms).put(name, text));
    readOfPrograms(ofPrograms);
    String memory = ofStores.remove(KnownSettings.MEMORY);
    if (memory != null && !memory.isBlank()) {
      sizesOf(memory, ofStores).forEach(ofStores::putIfAbsent);
    }
    return StoreOptions.from(ofStores);
  }

  private static void readOfPrograms(Map<String, String> settings) {
    RegionOptions.from(1, settings);
    SlabOptions.from("gds", settings);
    ReadArenaOptions.from(settings);
    BufferOptions.from(settings, null);
    CleanerOptions.from(settings);
    PageOptions.from(settings);
    PageFileOptions.from(settings);
    ReadAheadOptions.from(settings);
    LogReadCacheOptions.from(settings);
    if (settings.containsKey(LOG_BUFFER)) {
      // Together with the largest segments: what a store says of its log holds for it alone.
      LogOptions.from(Map.of("log.segment-bytes", "1G", LOG_BUFFER, settings.get(LOG_BUFFER)));
    }
  }

  /** The largest sizes with which a store takes no more memory, whatever else is said of it. */
  private static Map<String, String> sizesOf(String memory, Map<String, String> said) {
    long most = bytes(memory);
    long least = StoreSizes.minimumBytes();
    long part = most;
    do {
      Map<String, String> sizes = StoreSizes.settings(StoreSizes.within(part));
      Map<String, String> together = new HashMap<>(sizes);
      together.putAll(said);
      if (StoreOptions.from(together).memoryBytes() <= most) {
        return sizes;
      }
      part -= Math.max(1, most / PARTS);
    } while (part >= least);
    throw new IllegalArgumentException(
        "what is said of other sizes takes more: " + KnownSettings.MEMORY + "=" + memory);
  }

  private static long bytes(String memory) {
    return StoreMemory.bytes(KnownSettings.MEMORY, memory);
  }

  /** What a store may use altogether, in bytes, if that was said. */
  OptionalLong memoryBytes() {
    Configured memory = values.get(KnownSettings.MEMORY);
    return memory == null || memory.value().isBlank()
        ? OptionalLong.empty()
        : OptionalLong.of(bytes(memory.value()));
  }

  /**
   * The values that hold, and where they come from: of all settings of stores, and of what else was
   * said. Sizes do not follow from {@code store.memory} while there are mistakes.
   */
  List<Configured> effective() {
    Map<String, Configured> all = new LinkedHashMap<>();
    for (Setting setting : KnownSettings.stores()) {
      all.put(setting.name(), byDefault(setting));
    }
    Configured memory = values.get(KnownSettings.MEMORY);
    if (memory != null && !memory.value().isBlank() && mistakes().isEmpty()) {
      Map<String, String> said = texts();
      said.keySet().removeIf(name -> !KnownSettings.isOfStores(name) || name.equals(memory.name()));
      sizesOf(memory.value(), said)
          .forEach(
              (name, size) ->
                  all.put(
                      name,
                      new Configured(name, size, KnownSettings.MEMORY + ", " + memory.origin())));
    }
    all.putAll(values);
    return List.copyOf(all.values());
  }

  static Configured byDefault(Setting setting) {
    return new Configured(setting.name(), setting.byDefault(), DEFAULT);
  }

  /** Whether somebody has said it, or something it follows from. */
  static boolean isSaid(Configured value) {
    return !value.origin().equals(DEFAULT);
  }
}
