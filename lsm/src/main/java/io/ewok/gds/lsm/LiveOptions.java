package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.ThrottleOptions;
import java.util.HashMap;
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
  private record Current(StoreOptions options, CompactionOptions compaction) {
    static Current of(StoreOptions options) {
      return new Current(options, CompactionOptions.of(options));
    }
  }

  /** The longest blocks that there is memory for. */
  private final int blockBytesMax;

  private volatile Current current;

  LiveOptions(StoreOptions opened) {
    this.blockBytesMax = opened.tree().blockBytesMax();
    this.current = Current.of(opened);
  }

  StoreOptions options() {
    return current.options;
  }

  /** What compactions and flushes go by. Changes as a whole. */
  CompactionOptions compaction() {
    return current.compaction;
  }

  /**
   * Changes settings, all or none.
   *
   * @param engineOrNull whose throttle may be changed, null if that is not the store's to do
   * @throws IllegalArgumentException if one cannot be changed, or has no such value
   */
  void change(Map<String, String> settings, IoEngine engineOrNull) {
    Map<String, String> ofStore = new HashMap<>();
    Map<String, String> ofThrottle = new HashMap<>();
    settings.forEach(
        (name, value) -> {
          requireChangeable(name, value, engineOrNull != null);
          (name.startsWith(THROTTLE) ? ofThrottle : ofStore).put(name, value);
        });
    StoreOptions next = current.options.with(ofStore);
    int blockBytes = next.tree().blockBytesMax();
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
    requireLibraries(changed.compaction, settings);
    // Nothing fails from here on but for an engine that was closed.
    if (!ofThrottle.isEmpty()) {
      engineOrNull.setThrottle(changed.options.engine().throttle());
    }
    current = changed;
  }

  private static void requireChangeable(String name, String value, boolean ownsEngine) {
    StoreSetting setting =
        StoreSetting.of(name)
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
