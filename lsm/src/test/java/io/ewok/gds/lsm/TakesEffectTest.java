package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.StoreSetting.Effect;
import java.io.File;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every option says when a change takes effect, and settings say the same as their options. */
class TakesEffectTest {
  private static final StoreOptions OPTIONS = StoreOptions.defaults();

  /** Options that forget to say it. */
  private record Forgotten(@TakesEffect(Effect.AT_ONCE) int said, int forgotten) {}

  private static List<Class<?>> optionsOfCallers() throws Exception {
    String name = StoreOptions.class.getName().replace('.', File.separatorChar) + ".class";
    Path root =
        Path.of(StoreOptions.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Class<?>> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(root.resolve(name).getParent())) {
      for (Path file : files.toList()) {
        String simple = file.getFileName().toString();
        if (simple.endsWith("Options.class")) {
          Class<?> type =
              Class.forName(
                  StoreOptions.class.getPackageName() + "." + simple.replace(".class", ""));
          if (Modifier.isPublic(type.getModifiers())) {
            found.add(type);
          }
        }
      }
    }
    return found;
  }

  private static List<String> forgottenOf(Class<?> options) {
    return Arrays.stream(options.getRecordComponents())
        .filter(component -> effectOrNull(component) == null && nested(component).isEmpty())
        .map(component -> options.getSimpleName() + "." + component.getName())
        .toList();
  }

  private static Effect effectOrNull(RecordComponent component) {
    TakesEffect own = component.getAnnotation(TakesEffect.class);
    TakesEffect said =
        own != null ? own : component.getDeclaringRecord().getAnnotation(TakesEffect.class);
    return said == null ? null : said.value();
  }

  /** The options that a component consists of, whose own components say it. */
  private static List<Class<?>> nested(RecordComponent component) {
    List<Class<?>> found = new ArrayList<>();
    Type type = component.getGenericType();
    Type[] parts =
        type instanceof ParameterizedType generic
            ? generic.getActualTypeArguments()
            : new Type[] {type};
    for (Type part : parts) {
      if (part == TreeOptions.class || part == LevelOptions.class) {
        found.add((Class<?>) part);
      }
    }
    return found;
  }

  @Test
  void everyOptionSaysWhenAChangeTakesEffect() throws Exception {
    List<Class<?>> all = optionsOfCallers();
    assertTrue(
        all.containsAll(
            List.of(
                StoreOptions.class,
                TreeOptions.class,
                LevelOptions.class,
                MemoryOptions.class,
                CursorOptions.class,
                WriteOptions.class,
                ChangesOptions.class,
                TransactionOptions.class)),
        all::toString);
    assertEquals(List.of(), all.stream().flatMap(type -> forgottenOf(type).stream()).toList());
  }

  @Test
  void anOptionThatDoesNotSayItIsFound() {
    assertEquals(List.of("Forgotten.forgotten"), forgottenOf(Forgotten.class));
  }

  /** Another value than that of the defaults. */
  private static Map<String, String> changed(StoreSetting setting) {
    String name = setting.settingName();
    return switch (setting) {
      case MEMTABLE, RECORD_CACHE, LEVEL_1, TABLE, FIFO, RESERVE -> Map.of(name, "2M");
      case POOL -> Map.of(name, "32M");
      case BATCH_MAX -> Map.of(name, "256K");
      case HUGE_PAGES -> Map.of(name, "off");
      case NUMA_POOL, NUMA_MEMTABLE, NUMA_RECORD_CACHE, NUMA_BUFFERS -> Map.of(name, "local");
      case ARCHIVE -> Map.of(name, "/archive");
      case CREATE_IF_MISSING -> Map.of(name, "false");
      case TABLES_BEFORE_MERGE, GROWTH, FILTER_PREFIX, FILTER_BITS, VALUE_GARBAGE, LOG_SEGMENTS ->
          Map.of(name, "3");
      case COMPRESSION -> Map.of(name, "lz4");
      case BLOCK, SEPARATE_VALUES -> Map.of(name, "8K");
      case STYLE -> Map.of(name, "tiered");
      case MERGE -> Map.of(name, "add64");
      case TTL, PERIODIC_COMPACTION -> Map.of(name, "1h");
      case LOG_SEGMENT_BYTES -> Map.of(name, "4M");
      case LOG_RECOVERY -> Map.of(name, "strict");
      case IO -> Map.of("io.queue-depth", "7");
      case REACTOR -> Map.of("reactor.count", "2");
      case FIBERS -> Map.of("fibers.mode", "virtual");
      case THROTTLE -> Map.of("throttle.read", "10");
    };
  }

  @ParameterizedTest
  @EnumSource
  void settingsSayTheSameAsTheirOptions(StoreSetting setting) throws Exception {
    Map<String, Effect> changes = new TreeMap<>();
    compare(OPTIONS, OPTIONS.with(changed(setting)), changes);
    assertEquals(1, changes.size(), () -> setting + " changes " + changes);
    if (setting == StoreSetting.THROTTLE) { // the only part of the engine's that can be changed
      assertEquals(Set.of("StoreOptions.engine"), changes.keySet());
    } else {
      assertEquals(Set.of(setting.effect()), Set.copyOf(changes.values()), changes::toString);
    }
  }

  @Test
  void whatCanBeChangedWhileAStoreIsOpenHasASetting() throws Exception {
    Map<String, Effect> withSetting = new TreeMap<>();
    for (StoreSetting setting : StoreSetting.values()) {
      compare(OPTIONS, OPTIONS.with(changed(setting)), withSetting);
    }
    Set<String> without = new TreeSet<>();
    for (Class<?> options : List.of(StoreOptions.class, TreeOptions.class, LevelOptions.class)) {
      for (RecordComponent component : options.getRecordComponents()) {
        if (nested(component).isEmpty() && !withSetting.containsKey(name(component))) {
          assertEquals(Effect.NEXT_OPENING, effectOrNull(component), name(component));
          without.add(name(component));
        }
      }
    }
    assertEquals(
        Set.of(
            "StoreOptions.listener", "TreeOptions.compactionFilter", "TreeOptions.filtersFlushes"),
        without);
  }

  private static String name(RecordComponent component) {
    return component.getDeclaringRecord().getSimpleName() + "." + component.getName();
  }

  /** Finds the options that differ, and what they say of themselves. */
  private static void compare(Record before, Record after, Map<String, Effect> changes)
      throws Exception {
    for (RecordComponent component : before.getClass().getRecordComponents()) {
      Object was = component.getAccessor().invoke(before);
      Object is = component.getAccessor().invoke(after);
      if (Objects.equals(was, is)) {
        continue;
      }
      if (was instanceof TreeOptions tree) {
        compare(tree, (TreeOptions) is, changes);
      } else if (component.getName().equals("levels")) {
        compare(((TreeOptions) before).level(0), ((TreeOptions) after).level(0), changes);
      } else {
        changes.put(name(component), effectOrNull(component));
      }
    }
  }
}
