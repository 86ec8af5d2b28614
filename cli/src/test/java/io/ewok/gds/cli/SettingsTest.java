package io.ewok.gds.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CleanerOptions;
import io.ewok.gds.buffers.PageOptions;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.shard.ShardedOptions;
import io.ewok.gds.pagestore.PageFileOptions;
import io.ewok.gds.pagestore.ReadAheadOptions;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.cache.LogReadCacheOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of settings is what is read of them. */
class SettingsTest {
  /** For each setting a value that it does not have by default. */
  private static final Map<String, String> OTHER = other();

  /** Without what else a setting means nothing. */
  private static final Map<String, Map<String, String>> BESIDE =
      Map.of(
          "io.sq-poll-idle-ms", Map.of("io.sq-poll", "true"),
          "shards.splits", Map.of("shards.count", "2"));

  /** Read once: it knows how much memory is free, which changes. */
  private static final NumaTopology TOPOLOGY = NumaTopology.read();

  private static Map<String, String> other() {
    Map<String, String> other = new TreeMap<>();
    """
    store.memory 32M
    store.memtable 8M
    store.pool 32M
    store.record-cache 1M
    store.huge-pages off
    store.numa.pool bind:0;bind:0
    store.numa.memtable local
    store.numa.record-cache local
    store.numa.buffers local
    store.batch-max 256K
    store.reserve 64M
    store.archive /archive
    store.create-if-missing false
    store.tables-before-merge 5
    store.level-1 2M
    store.growth 8
    store.table 4M
    store.filter-prefix 4
    store.compression none,lz4
    store.block 8K
    store.filter-bits 12
    store.style tiered
    store.fifo 2G
    store.separate-values 4K
    store.value-garbage 40
    store.merge add64
    store.ttl 36h
    store.periodic-compaction 30d
    log.segment-bytes 8M
    log.segments 5
    log.recovery strict
    io.engine pool
    io.queue-depth 32
    io.pool-threads 32
    io.sync-method dsync
    io.sq-poll true
    io.sq-poll-idle-ms 50
    io.io-poll true
    reactor.count 2
    reactor.nodes 0
    reactor.cpus 0
    reactor.timer-tick-us 500
    reactor.overflow 100
    reactor.stall-ms 20
    reactor.reap-max 8
    fibers.mode virtual
    fibers.count 100
    fibers.max 1000
    fibers.inbox 100
    fibers.scratch.small 7
    fibers.scratch.medium 7
    fibers.scratch.large 7
    throttle.read 10K/100MB
    throttle.write /100MB
    memory.huge-pages off
    memory.prefault-threads 2
    memory.locked true
    memory.debug P
    memory.slab.committed 10%
    memory.read-arena.min 10%
    memory.read-arena.max 60%
    numa.policy local
    buffers.pool 10%
    buffers.frame 8K
    buffers.wait-max-ms 100
    buffers.eviction car
    buffers.placements bind:0;bind:0
    buffers.huge-pages off
    buffers.fix-origins true
    cleaner.redo-max 1M
    cleaner.dirty-percent 30
    cleaner.interval-ms 20
    pages.size 8K
    pages.torn none
    page-file.step 1M
    read-ahead.frames 8
    read-ahead.max 64K
    log.buffer-bytes 2M
    log-cache.page 512
    log-cache.stride-pages 1
    log-cache.prefetch false
    log-cache.tail 8M
    log-cache.read-aheads 8
    shards.count 2
    shards.splits 80
    shards.background owner
    """
        .lines()
        .map(line -> line.split(" ", 2))
        .forEach(words -> other.put(words[0], words[1]));
    for (String work : List.of("log", "foreground", "cleaner", "compaction", "backup")) {
      other.put("throttle." + work + ".read", "5K");
      other.put("throttle." + work + ".write", "5K");
      other.put("throttle." + work + ".share", "7");
      other.put("throttle." + work + ".depth", "3");
    }
    return other;
  }

  static List<Setting> all() {
    return Stream.concat(KnownSettings.stores().stream(), KnownSettings.programs().stream())
        .toList();
  }

  private static StoreOptions store(Map<String, String> settings) {
    return Configuration.of(
            settings.entrySet().stream()
                .map(entry -> new Configured(entry.getKey(), entry.getValue(), "--set"))
                .toList())
        .options();
  }

  /** All that reads settings, as one. */
  private static List<Object> read(Map<String, String> settings) {
    Map<String, String> ofPrograms = new HashMap<>(settings);
    ofPrograms.keySet().removeIf(KnownSettings::isOfStores);
    Map<String, String> ofShards = new HashMap<>(ofPrograms); // each is a store besides
    ofShards.keySet().removeIf(name -> !name.startsWith("shards."));
    return List.of(
        store(settings),
        RegionOptions.from(1, ofPrograms),
        SlabOptions.from("test", ofPrograms).withTopology(TOPOLOGY),
        ReadArenaOptions.from(ofPrograms),
        BufferOptions.from(ofPrograms, null),
        CleanerOptions.from(ofPrograms),
        PageOptions.from(ofPrograms),
        PageFileOptions.from(ofPrograms),
        ReadAheadOptions.from(ofPrograms),
        LogOptions.from(ofPrograms),
        LogReadCacheOptions.from(ofPrograms),
        ShardedOptions.defaults().with(ofShards));
  }

  static Stream<String> names() {
    return all().stream().map(Setting::name);
  }

  @Test
  void eachIsDescribedOnce() {
    assertEquals(new TreeSet<>(OTHER.keySet()), new TreeSet<>(names().toList()));
    assertEquals(OTHER.size(), all().size());
  }

  @ParameterizedTest
  @MethodSource("names")
  void eachThatIsDescribedIsRead(String name) {
    Map<String, String> without = BESIDE.getOrDefault(name, Map.of());
    Map<String, String> with = new HashMap<>(without);
    with.put(name, OTHER.get(name));
    assertNotEquals(read(without), read(with));
  }

  @ParameterizedTest
  @MethodSource("names")
  void defaultsAreWhatIsReadIfNothingIsSaid(String name) {
    Setting setting = KnownSettings.find(name).orElseThrow();
    assertEquals(read(Map.of()), read(Map.of(name, setting.byDefault())));
  }

  /** So nothing is read that is not described. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "store.",
        "log.",
        "io.",
        "reactor.",
        "fibers.",
        "throttle.",
        "throttle.backup.",
        "memory.",
        "memory.slab.",
        "memory.read-arena.",
        "numa.",
        "page-file.",
        "read-ahead.",
        "log-cache.",
        "buffers.",
        "cleaner.",
        "pages.",
        "shards."
      })
  void whatIsNotDescribedIsRefused(String prefix) {
    Map<String, String> settings = Map.of(prefix + "nothing", "1");
    assertThrows(
        IllegalArgumentException.class,
        () -> {
          StoreOptions.from(settings);
          RegionOptions.from(1, settings);
          SlabOptions.from("test", settings);
          ReadArenaOptions.from(settings);
          BufferOptions.from(settings, null);
          CleanerOptions.from(settings);
          PageOptions.from(settings);
          PageFileOptions.from(settings);
          ReadAheadOptions.from(settings);
          LogReadCacheOptions.from(settings);
          ShardedOptions.defaults().with(settings);
        });
  }

  @Test
  void familiesHaveWhatTheirOptionsSay() {
    assertTrue(KnownSettings.find("store.family.a.b.ttl").isPresent());
    assertFalse(KnownSettings.find("store.family.a.pool").isPresent());
    for (Setting setting : all()) {
      String ofFamily = "store.family.f." + setting.name().replaceFirst("store\\.", "");
      boolean described = KnownSettings.find(ofFamily).isPresent();
      boolean read = true;
      try {
        StoreOptions.from(Map.of(ofFamily, OTHER.get(setting.name())));
      } catch (IllegalArgumentException e) {
        read = false;
      }
      assertEquals(read, described, ofFamily);
    }
  }

  @Test
  void allThatStoresReadSaysWhenAChangeTakesEffect() {
    for (Setting setting : KnownSettings.stores()) {
      assertTrue(KnownSettings.effect(setting.name()).isPresent(), setting.name());
    }
    assertEquals("at once", KnownSettings.effect("store.family.f.ttl").orElseThrow());
    assertEquals("at once", KnownSettings.effect("throttle.backup.read").orElseThrow());
  }
}
