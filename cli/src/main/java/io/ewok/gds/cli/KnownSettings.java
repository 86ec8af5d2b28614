package io.ewok.gds.cli;

import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CleanerOptions;
import io.ewok.gds.buffers.PageOptions;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreSetting;
import io.ewok.gds.lsm.TreeOptions;
import io.ewok.gds.lsm.shard.ShardedOptions;
import io.ewok.gds.pagestore.PageFileOptions;
import io.ewok.gds.pagestore.ReadAheadOptions;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.cache.LogReadCacheOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** All settings that a configuration may have, as the options that read them describe them. */
final class KnownSettings {
  /** What a store may use altogether; {@link Configuration} makes sizes of it. */
  static final String MEMORY = "store.memory";

  private static final String STORE = "store.";
  private static final String FAMILY = "store.family.";

  /** A family's name may have dots, what is said of it has none. */
  private static final Pattern OF_FAMILY = Pattern.compile("store\\.family\\.(.+)\\.([^.]+)");

  private static final String LOG_BUFFER = "log.buffer-bytes";

  private static final List<Setting> STORES =
      Stream.concat(
              Stream.of(
                  Setting.of(
                          MEMORY,
                          "",
                          "a size, or a percentage of what the process may use (of its control"
                              + " group, or of the machine); none for the sizes below",
                          "memory outside of the Java heap that a store may use: what its sizes"
                              + " are where nothing is said of them")
                      .change("the machine has another use for it, or none", "memory")),
              StoreOptions.settings().stream())
          .toList();

  private static final List<Setting> PROGRAMS =
      Stream.of(
              RegionOptions.settings(),
              SlabOptions.settings(),
              ReadArenaOptions.settings(),
              BufferOptions.settings(),
              CleanerOptions.settings(),
              PageOptions.settings(),
              PageFileOptions.settings(),
              ReadAheadOptions.settings(),
              LogOptions.settings().stream()
                  .filter(setting -> setting.name().equals(LOG_BUFFER))
                  .toList(),
              LogReadCacheOptions.settings(),
              ShardedOptions.settings())
          .flatMap(List::stream)
          .toList();

  private static final Map<String, Setting> BY_NAME =
      Stream.concat(STORES.stream(), PROGRAMS.stream())
          .collect(Collectors.toUnmodifiableMap(Setting::name, Function.identity()));

  private static final Set<String> OF_STORES = Setting.names(STORES);
  private static final Set<String> OF_FAMILIES = Setting.names(TreeOptions.settings());

  private KnownSettings() {}

  /** Those that say how the command opens stores. */
  static List<Setting> stores() {
    return STORES;
  }

  /** Those that only programs read, with the options of the layers below the store. */
  static List<Setting> programs() {
    return PROGRAMS;
  }

  /** The setting with a name; that of one family is the one of the store under another name. */
  static Optional<Setting> find(String name) {
    Matcher family = OF_FAMILY.matcher(name);
    if (!family.matches()) {
      return Optional.ofNullable(BY_NAME.get(name));
    }
    String ofStore = STORE + family.group(2);
    return OF_FAMILIES.contains(ofStore)
        ? Optional.of(ofFamily(BY_NAME.get(ofStore), name))
        : Optional.empty();
  }

  private static Setting ofFamily(Setting store, String name) {
    return Setting.of(name, store.byDefault(), store.form(), store.meaning())
        .change(store.change(), store.cost());
  }

  /** The name that a setting of a family has for its store; others are as they are. */
  static String ofStore(String name) {
    Matcher family = OF_FAMILY.matcher(name);
    return family.matches() ? STORE + family.group(2) : name;
  }

  static boolean isOfStores(String name) {
    return OF_STORES.contains(name) || OF_FAMILY.matcher(name).matches();
  }

  /** The name that somebody may have meant. */
  static String nearest(String typed) {
    List<String> names = new ArrayList<>(BY_NAME.keySet());
    Matcher family = OF_FAMILY.matcher(typed);
    if (family.matches() && BY_NAME.containsKey(ofStore(typed))) {
      return ofStore(typed); // It is not said of single families.
    }
    if (family.matches()) {
      String own = FAMILY + family.group(1) + ".";
      OF_FAMILIES.forEach(name -> names.add(own + name.substring(STORE.length())));
    }
    names.sort(null); // Of several that are as near, always the same one.
    return NearestName.of(typed, names).orElseThrow();
  }

  /** When a change takes effect while a store is open; nothing for what stores do not read. */
  static Optional<String> effect(String name) {
    if (name.equals(MEMORY)) {
      return Optional.of(StoreSetting.Effect.NEXT_OPENING.toString());
    }
    String ofStore = ofStore(name);
    return Arrays.stream(StoreSetting.values())
        .filter(setting -> has(setting.settingName(), ofStore))
        .map(setting -> setting.effect().toString())
        .findFirst();
  }

  private static boolean has(String known, String name) {
    return known.endsWith("…")
        ? name.startsWith(known.substring(0, known.length() - 1))
        : known.equals(name);
  }
}
