package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.ThrottleOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The options of an open store: those it was opened with, and what was changed since. Whoever acts
 * on one that can be changed asks here each time.
 *
 * <p>Threads: any; one at a time changes.
 */
final class LiveOptions {
  private static final String THROTTLE = "throttle.";

  /** Both at once, so that nobody sees one without the other. */
  private record Current(
      StoreOptions options,
      CompactionOptions compaction,
      Map<String, CompactionOptions> compactionOfFamilies) {
    static Current of(StoreOptions options) {
      Map<String, CompactionOptions> families = new HashMap<>();
      options
          .families()
          .forEach((name, tree) -> families.put(name, CompactionOptions.of(options, tree)));
      families.put(
          Transactions.FAMILY, CompactionOptions.of(options, options.tree(Transactions.FAMILY)));
      return new Current(options, CompactionOptions.of(options, options.tree()), families);
    }

    List<CompactionOptions> all() {
      List<CompactionOptions> all = new ArrayList<>(compactionOfFamilies.values());
      all.add(compaction);
      return all;
    }
  }

  /** The longest blocks that there is memory for. */
  private final int blockBytesMax;

  /** Written by one at a time. */
  private volatile Current current;

  LiveOptions(StoreOptions opened) {
    this.blockBytesMax = opened.blockBytesMax();
    this.current = Current.of(opened);
  }

  StoreOptions options() {
    return current.options;
  }

  /** What compactions and flushes of a family go by. Changes as a whole. */
  CompactionOptions compaction(FamilyState family) {
    Current now = current;
    return now.compactionOfFamilies.getOrDefault(family.name(), now.compaction);
  }

  /**
   * Fails early if what was opened cannot be written so.
   *
   * @throws IllegalStateException if the library for a compression is missing
   */
  void requireLibraries() {
    current.all().forEach(options -> options.layouts().forEach(TableLayout::requireLibrary));
  }

  /**
   * Checks whether a family may be created with these options.
   *
   * @throws IllegalArgumentException if not
   */
  void requirePossible(String family, TreeOptions tree) {
    if (tree.blockBytesMax() > blockBytesMax) {
      throw new IllegalArgumentException(
          "larger blocks than those that the store was opened with have to wait for the next"
              + " opening: family=%s blockBytesMax=%d blockBytes=%d"
                  .formatted(family, blockBytesMax, tree.blockBytesMax()));
    }
    try {
      CompactionOptions.of(options(), tree).layouts().forEach(TableLayout::requireLibrary);
    } catch (IllegalStateException e) {
      throw new IllegalArgumentException(e.getMessage() + ": family=" + family, e);
    }
  }

  /** Says what the options of a family are that is being created. */
  synchronized void setFamily(String name, TreeOptions tree) {
    if (!current.options.tree(name).equals(tree)) {
      current = Current.of(current.options.withFamily(name, tree));
    }
  }

  /**
   * Changes settings, all or none.
   *
   * @param engineOrNull whose throttle may be changed, null if that is not the store's to do
   * @throws IllegalArgumentException if one cannot be changed, or has no such value
   */
  synchronized void change(Map<String, String> settings, IoEngine engineOrNull) {
    Map<String, String> ofStore = new HashMap<>();
    Map<String, String> ofThrottle = new HashMap<>();
    settings.forEach(
        (name, value) -> {
          requireChangeable(name, value, engineOrNull != null);
          (name.startsWith(THROTTLE) ? ofThrottle : ofStore).put(name, value);
        });
    StoreOptions next = current.options.with(ofStore);
    int blockBytes = next.blockBytesMax();
    if (blockBytes > blockBytesMax) {
      throw new IllegalArgumentException(
          "larger blocks than those that the store was opened with have to wait for the next"
              + " opening: blockBytesMax=%d store.block=%d".formatted(blockBytesMax, blockBytes));
    }
    Current changed;
    if (ofThrottle.isEmpty()) {
      changed = Current.of(next);
    } else {
      EngineOptions engine = next.engine();
      ThrottleOptions throttle = engineOrNull.throttle().with(ofThrottle);
      changed = Current.of(next.withEngine(engine.withThrottle(throttle)));
    }
    changed.all().forEach(options -> requireLibraries(options, settings));
    // Nothing fails from here on but for an engine that was closed.
    if (!ofThrottle.isEmpty()) {
      engineOrNull.setThrottle(changed.options.engine().throttle());
    }
    current = changed;
  }

  private static void requireChangeable(String name, String value, boolean ownsEngine) {
    StoreSetting setting =
        StoreSetting.of(StoreSettings.ofStore(name))
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "there is no such setting, and these can be changed: %s: %s=%s"
                            .formatted(StoreSetting.changeableNames(), name, value)));
    if (!setting.isChangeable()) {
      throw new IllegalArgumentException(
          "this takes effect %s, and cannot be changed while the store is open: %s=%s"
              .formatted(setting.effect(), name, value));
    }
    if (setting == StoreSetting.THROTTLE && !ownsEngine) {
      throw new IllegalArgumentException(
          "the store's engine is borrowed, change it there: %s=%s".formatted(name, value));
    }
  }

  private static void requireLibraries(CompactionOptions options, Map<String, String> settings) {
    try {
      options.layouts().forEach(TableLayout::requireLibrary);
    } catch (IllegalStateException e) {
      throw new IllegalArgumentException(
          e.getMessage()
              + ": "
              + StoreSetting.COMPRESSION.settingName()
              + "="
              + settings.get(StoreSetting.COMPRESSION.settingName()),
          e);
    }
  }
}
