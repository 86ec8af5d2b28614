package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.Settings;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.wal.LogOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Options of a store from flat settings, see {@link StoreOptions#with(Map)}. */
final class StoreSettings {
  private static final Pattern NAMES = Pattern.compile("store\\..*");

  /** A family's name may have dots, what is said of it has none. */
  private static final Pattern FAMILY = Pattern.compile("store\\.family\\.(.+)\\.([^.]+)");

  private static final String STORE = "store.";
  private static final Pattern ENGINE_NAMES = Pattern.compile("(io|reactor|fibers|throttle)\\..*");
  private static final Pattern COMMA = Pattern.compile("\\s*,\\s*");

  private static final String MEMTABLE = "store.memtable";
  private static final String POOL = "store.pool";
  private static final String BATCH_MAX = "store.batch-max";
  private static final String RECORD_CACHE = "store.record-cache";
  private static final String RESERVE = "store.reserve";
  private static final String HUGE_PAGES = "store.huge-pages";
  static final String NUMA_POOL = "store.numa.pool";
  static final String NUMA_MEMTABLE = "store.numa.memtable";
  static final String NUMA_RECORD_CACHE = "store.numa.record-cache";
  static final String NUMA_BUFFERS = "store.numa.buffers";
  private static final String CREATE = "store.create-if-missing";
  private static final String ARCHIVE = "store.archive";
  private static final String TABLES_BEFORE_MERGE = "store.tables-before-merge";
  private static final String LEVEL_1 = "store.level-1";
  private static final String GROWTH = "store.growth";
  private static final String TABLE = "store.table";
  private static final String FILTER_PREFIX = "store.filter-prefix";
  private static final String COMPRESSION = "store.compression";
  private static final String BLOCK = "store.block";
  private static final String FILTER_BITS = "store.filter-bits";

  private static final String STYLE = "store.style";
  private static final String FIFO = "store.fifo";
  private static final String MERGE = "store.merge";
  private static final String TTL = "store.ttl";
  private static final String PERIODIC = "store.periodic-compaction";
  private static final String SEPARATE = "store.separate-values";
  private static final String GARBAGE = "store.value-garbage";
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})\\s*([smhd])");

  /** Those that may be said of one family. */
  static final Set<String> NAMES_OF_FAMILIES =
      Set.of(
          TABLES_BEFORE_MERGE,
          LEVEL_1,
          GROWTH,
          TABLE,
          FILTER_PREFIX,
          COMPRESSION,
          BLOCK,
          FILTER_BITS,
          STYLE,
          FIFO,
          MERGE,
          TTL,
          PERIODIC,
          SEPARATE,
          GARBAGE);

  /** All that begin with {@code store.}, but for those of families. */
  static final Set<String> NAMES_KNOWN =
      Stream.concat(
              NAMES_OF_FAMILIES.stream(),
              Stream.of(
                  MEMTABLE,
                  POOL,
                  BATCH_MAX,
                  RECORD_CACHE,
                  HUGE_PAGES,
                  NUMA_POOL,
                  NUMA_MEMTABLE,
                  NUMA_RECORD_CACHE,
                  NUMA_BUFFERS,
                  CREATE,
                  RESERVE,
                  ARCHIVE))
          .collect(Collectors.toUnmodifiableSet());

  private static final String LOG_SEGMENT_BYTES = "log.segment-bytes";
  private static final String LOG_SEGMENTS = "log.segments";
  private static final String LOG_BUFFER_BYTES = "log.buffer-bytes";

  private final Map<String, String> settings;

  private StoreSettings(Map<String, String> settings) {
    this.settings = settings;
  }

  static StoreOptions apply(StoreOptions base, Map<String, String> settings) {
    Map<String, String> ofStore = new HashMap<>();
    Map<String, Map<String, String>> ofFamilies = new HashMap<>();
    settings.forEach(
        (name, value) -> {
          Matcher matcher = FAMILY.matcher(name);
          if (matcher.matches()) {
            ofFamilies
                .computeIfAbsent(matcher.group(1), _ -> new HashMap<>())
                .put(STORE + matcher.group(2), value);
          } else {
            ofStore.put(name, value);
          }
        });
    Settings.requireKnown(ofStore, NAMES, NAMES_KNOWN);
    StoreOptions options = new StoreSettings(ofStore).options(base);
    for (Map.Entry<String, Map<String, String>> family : ofFamilies.entrySet()) {
      String name = family.getKey();
      options = options.withFamily(name, tree(name, options.tree(name), family.getValue()));
    }
    return options;
  }

  private static TreeOptions tree(String family, TreeOptions base, Map<String, String> settings) {
    try {
      Settings.requireKnown(settings, NAMES, NAMES_OF_FAMILIES);
      return new StoreSettings(settings).tree(base);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("family " + family + ": " + e.getMessage(), e);
    }
  }

  /** The family that a setting is of; null if it is the store's. */
  static String familyOrNull(String setting) {
    Matcher matcher = FAMILY.matcher(setting);
    return matcher.matches() ? matcher.group(1) : null;
  }

  /** The name that a setting of a family has for the store. */
  static String ofStore(String setting) {
    Matcher matcher = FAMILY.matcher(setting);
    return matcher.matches() ? STORE + matcher.group(2) : setting;
  }

  private StoreOptions options(StoreOptions base) {
    LogOptions log = log(base);
    boolean isEngineNamed =
        settings.keySet().stream().anyMatch(name -> ENGINE_NAMES.matcher(name).matches());
    return new StoreOptions(
        bytes(MEMTABLE, base.memtableBytes()),
        bytes(POOL, base.poolBytes()),
        (int) Math.min(bytes(BATCH_MAX, base.batchBytesMax()), Integer.MAX_VALUE),
        bytes(RECORD_CACHE, base.recordCacheBytes()),
        memory(base.memory()),
        tree(base.tree()),
        base.families(),
        log.segmentBytes(),
        log.segmentCount(),
        log.recovery(),
        base.listener(),
        isEngineNamed ? EngineOptions.from(settings).withKeys(base.engine().keys()) : base.engine(),
        Settings.readBoolean(settings, CREATE, base.createIfMissing()),
        bytes(RESERVE, base.reserveBytes()),
        Settings.read(settings, ARCHIVE, StoreSettings::archive, base.archiveOrNull()));
  }

  private MemoryOptions memory(MemoryOptions base) {
    return new MemoryOptions(
        Settings.readEnum(settings, HUGE_PAGES, base.hugePages()),
        Settings.read(
            settings, NUMA_POOL, text -> PlacementPolicy.parseAll(NUMA_POOL, text), base.pool()),
        placement(NUMA_MEMTABLE, base.memtables()),
        placement(NUMA_RECORD_CACHE, base.recordCache()),
        placement(NUMA_BUFFERS, base.buffers()));
  }

  private PlacementPolicy placement(String name, PlacementPolicy otherwise) {
    return Settings.read(settings, name, text -> PlacementPolicy.parse(name, text), otherwise);
  }

  private LogOptions log(StoreOptions base) {
    if (settings.containsKey(LOG_BUFFER_BYTES)) {
      throw new IllegalArgumentException(
          "a store chooses the buffers of its log itself: "
              + LOG_BUFFER_BYTES
              + "="
              + settings.get(LOG_BUFFER_BYTES));
    }
    Map<String, String> all = new HashMap<>(settings);
    all.putIfAbsent(LOG_SEGMENT_BYTES, Long.toString(base.logSegmentBytes()));
    all.putIfAbsent(LOG_SEGMENTS, Integer.toString(base.logSegmentCount()));
    // Its default may be more than a segment has.
    all.put(LOG_BUFFER_BYTES, "4096");
    LogOptions log = LogOptions.from(all);
    return settings.containsKey("log.recovery") ? log : log.withRecovery(base.recovery());
  }

  private TreeOptions tree(TreeOptions base) {
    return new TreeOptions(
        Settings.readInt(settings, TABLES_BEFORE_MERGE, base.tablesBeforeMerge()),
        bytes(LEVEL_1, base.level1Bytes()),
        Settings.readInt(settings, GROWTH, base.growth()),
        bytes(TABLE, base.tableBytes()),
        Settings.readInt(settings, FILTER_PREFIX, base.filterPrefixBytes()),
        levels(base),
        Settings.read(settings, MERGE, MergeOperators::named, base.mergeOperator()),
        base.compactionFilter(),
        base.filtersFlushes(),
        duration(TTL, base.ttl()),
        Settings.readEnum(settings, STYLE, base.style()),
        bytes(FIFO, base.fifoBytes()),
        (int) Math.min(bytes(SEPARATE, base.separatedValueBytes()), Integer.MAX_VALUE),
        Settings.readInt(settings, GARBAGE, base.valueGarbagePercent()),
        duration(PERIODIC, base.periodicCompaction()));
  }

  /** Lists of one value for each level from 0 on, the last for all deeper ones too. */
  private List<LevelOptions> levels(TreeOptions base) {
    List<Compression> compressions = list(COMPRESSION, StoreSettings::compression);
    List<Integer> blocks = list(BLOCK, text -> (int) Math.min(bytes(BLOCK, text), 1 << 30));
    List<Integer> filters =
        list(FILTER_BITS, text -> Settings.readInt(Map.of(FILTER_BITS, text), FILTER_BITS, 0));
    int count =
        Math.max(
            base.levels().size(),
            Math.max(compressions.size(), Math.max(blocks.size(), filters.size())));
    List<LevelOptions> levels = new ArrayList<>();
    for (int level = 0; level < count; level++) {
      LevelOptions before = base.level(level);
      levels.add(
          new LevelOptions(
              of(compressions, level, before.compression()),
              of(blocks, level, before.blockBytes()),
              of(filters, level, before.filterBitsPerKey())));
    }
    return levels;
  }

  private <T> List<T> list(String name, Function<String, T> reader) {
    return Settings.read(
        settings,
        name,
        text -> Arrays.stream(COMMA.split(text.strip(), -1)).map(reader).toList(),
        List.of());
  }

  private static <T> T of(List<T> values, int level, T otherwise) {
    return values.isEmpty() ? otherwise : values.get(Math.min(level, values.size() - 1));
  }

  private long bytes(String name, long otherwise) {
    return Settings.read(settings, name, text -> bytes(name, text), otherwise);
  }

  private static long bytes(String name, String text) {
    MemorySize size = MemorySize.parse(name, text);
    if (size.isShare()) {
      throw new IllegalArgumentException("bytes, not a share: " + name + "=" + text);
    }
    return size.bytes(0);
  }

  private static Compression compression(String text) {
    for (Compression compression : Compression.values()) {
      if (compression.name().toLowerCase(Locale.ROOT).equals(text)) {
        return compression;
      }
    }
    throw new IllegalArgumentException("one of none, lz4 and zstd: " + COMPRESSION + "=" + text);
  }

  private Duration duration(String name, Duration otherwise) {
    return Settings.read(settings, name, text -> duration(name, text), otherwise);
  }

  private static Duration duration(String name, String text) {
    Matcher matcher = DURATION.matcher(text.strip());
    if (text.strip().equals("0")) {
      return Duration.ZERO;
    }
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "0, or a number of s, m, h or d, such as 36h: " + name + "=" + text);
    }
    ChronoUnit unit =
        switch (matcher.group(2)) {
          case "s" -> ChronoUnit.SECONDS;
          case "m" -> ChronoUnit.MINUTES;
          case "h" -> ChronoUnit.HOURS;
          default -> ChronoUnit.DAYS;
        };
    return Duration.of(Long.parseLong(matcher.group(1)), unit);
  }

  /** Null for as it was. */
  private static Path archive(String text) {
    String name = text.strip();
    if (name.isEmpty()) {
      return null;
    }
    return name.equals("none") ? StoreOptions.NO_ARCHIVE : Path.of(name);
  }
}
