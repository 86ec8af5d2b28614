package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.wal.LogOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * What there is to say of the settings of a store: of each {@link StoreSetting}, so that none can
 * be read and not be described. That of the engine and of the log they say themselves.
 */
final class StoreReference {
  private static final String OF_LEVELS =
      "; or a list of one for each level from 0 on, the last for all deeper ones";

  private static final String POLICY =
      "default, local, or one of preferred, preferred-many, bind, interleave and"
          + " weighted-interleave with nodes, such as interleave:0-1";

  private StoreReference() {}

  static List<Setting> all() {
    List<Setting> all = new ArrayList<>();
    for (StoreSetting setting : StoreSetting.values()) {
      all.addAll(of(setting));
    }
    return List.copyOf(all);
  }

  /** Those that may be said of one family. */
  static List<Setting> ofFamilies() {
    return all().stream()
        .filter(setting -> StoreSettings.NAMES_OF_FAMILIES.contains(setting.name()))
        .toList();
  }

  private static List<Setting> of(StoreSetting setting) {
    String name = setting.settingName();
    return switch (setting) {
      case LOG_SEGMENT_BYTES ->
          List.of(ofLog(name, "a size from 256K to 1G, at least twice store.batch-max, whole 4K"));
      case LOG_SEGMENTS -> List.of(ofLog(name, "2 to 1024 files"));
      case LOG_RECOVERY -> List.of(ofLog(name, "strict, tolerate-tail, point-in-time or salvage"));
      case IO, REACTOR, FIBERS, THROTTLE ->
          EngineOptions.settings().stream()
              .filter(each -> each.name().startsWith(name.replace("…", "")))
              .toList();
      case MEMTABLE, POOL, RECORD_CACHE, BATCH_MAX, CREATE_IF_MISSING, RESERVE, ARCHIVE ->
          List.of(ofStore(setting, name));
      case HUGE_PAGES, NUMA_POOL, NUMA_MEMTABLE, NUMA_RECORD_CACHE, NUMA_BUFFERS ->
          List.of(ofMemory(setting, name));
      case COMPRESSION, BLOCK, FILTER_BITS, FILTER_PREFIX, SEPARATE_VALUES, TABLE ->
          List.of(ofTables(setting, name));
      case TABLES_BEFORE_MERGE,
          LEVEL_1,
          GROWTH,
          STYLE,
          FIFO,
          VALUE_GARBAGE,
          MERGE,
          TTL,
          PERIODIC_COMPACTION ->
          List.of(ofTree(setting, name));
    };
  }

  private static Setting ofLog(String name, String form) {
    Setting own =
        LogOptions.settings().stream()
            .filter(setting -> setting.name().equals(name))
            .findAny()
            .orElseThrow();
    return Setting.of(name, own.byDefault(), form, own.meaning()).change(own.change(), own.cost());
  }

  private static Setting ofStore(StoreSetting setting, String name) {
    return switch (setting) {
      case MEMTABLE ->
          Setting.of(
                  name,
                  "16M",
                  "a size from 256K to 1G, at least twice store.batch-max",
                  "a memtable, of which there are up to four")
              .change(
                  "less is to be written and merged, or writers wait for flushes",
                  "memory; a longer replay at the next opening");
      case POOL ->
          Setting.of(
                  name,
                  "64M",
                  "a size from 1M to 1G, at least eight times store.batch-max",
                  "blocks of tables in memory")
              .change(
                  "fewer reads are to go to the device, or many cursors stand on large values",
                  "memory");
      case RECORD_CACHE ->
          Setting.of(
                  name,
                  "0",
                  "a size from 64K to 1G; 0 for none",
                  "single records of tables that are read often, up to 456 bytes each, beside the"
                      + " pool")
              .change(
                  "gets go to some keys much more often than to others, and these are hardly"
                      + " written",
                  "what the pool would do with the memory; a look for each get that misses");
      case BATCH_MAX ->
          Setting.of(
                  name,
                  "1M",
                  "a size from 128K to 65M",
                  "the largest batch of writes, and so the largest value")
              .change("values or batches are larger", "about five times its size in buffers");
      case CREATE_IF_MISSING ->
          Setting.of(
                  name,
                  "true",
                  "true or false",
                  "whether a store is created in a directory that is empty or does not exist")
              .change(
                  "a wrong directory has to be an error",
                  "the first store has to be made otherwise");
      case RESERVE ->
          Setting.of(
                  name,
                  "0",
                  "a size from 1M to 64G; 0 for none",
                  "room on the device that is kept for when there is no other: deletes are taken and"
                      + " merged in it, and new values refused until there is room for it again")
              .change(
                  "the store may fill its device, and is to be able to make room itself; what a"
                      + " merge writes has to fit, several times store.table",
                  "the room");
      case ARCHIVE ->
          Setting.of(
                  name,
                  "",
                  "a directory, or none; as it was if nothing is said, at first none",
                  "a directory that gets all that is written to the log, before its space is used"
                      + " anew")
              .change(
                  "a backup is to be restored up to any write or time",
                  "the log is read and written once more; writers wait while the directory takes"
                      + " nothing");
      default -> throw unknown(setting);
    };
  }

  /** Those of {@link MemoryOptions}. */
  private static Setting ofMemory(StoreSetting setting, String name) {
    return switch (setting) {
      case HUGE_PAGES ->
          Setting.of(
                  name,
                  "auto",
                  "auto, hugetlb or off",
                  "the pages that the memory of the store is asked of the system in: auto advises"
                      + " 2 MiB, hugetlb takes them from vm.nr_hugepages where a region is whole"
                      + " multiples of them")
              .change(
                  "off where most of it stays untouched; hugetlb where latency must not depend on"
                      + " what the kernel finds in one piece",
                  "hugetlb: memory that the administrator sets aside, all touched when it is"
                      + " mapped");
      case NUMA_POOL ->
          Setting.of(
                  name,
                  "default",
                  POLICY + "; or several with semicolons between them, such as bind:0;bind:1",
                  "the NUMA nodes of the pool, which has a part for each policy")
              .change(
                  "the machine has several nodes: a policy for each spreads the pool over them",
                  "each part has to be as large as the smallest pool");
      case NUMA_MEMTABLE ->
          Setting.of(name, "default", POLICY, "the NUMA nodes of memtables")
              .change(
                  "threads of several nodes read what was written last, or those of one node"
                      + " alone",
                  "other nodes are used less; with bind the process ends when its nodes are full");
      case NUMA_RECORD_CACHE ->
          Setting.of(name, "default", POLICY, "the NUMA nodes of the record cache")
              .change(
                  "the machine has several nodes and gets come from all of them",
                  "other nodes are used less; with bind the process ends when its nodes are full");
      case NUMA_BUFFERS ->
          Setting.of(
                  name,
                  "default",
                  POLICY,
                  "the NUMA nodes of the buffers that the log is written from, and tables are read"
                      + " and written through")
              .change(
                  "the device is at one of several nodes",
                  "the threads of other nodes copy over a longer way");
      default -> throw unknown(setting);
    };
  }

  /** Those of {@link LevelOptions}, and others of what single tables are. */
  private static Setting ofTables(StoreSetting setting, String name) {
    return switch (setting) {
      case COMPRESSION ->
          Setting.of(
                  name,
                  "none",
                  "none, lz4 or zstd" + OF_LEVELS,
                  "how blocks of tables are compressed")
              .change(
                  "space or the bandwidth of the device is short: lz4 anywhere, zstd on the deepest"
                      + " levels",
                  "processor time for each block that is not in the pool");
      case BLOCK ->
          Setting.of(
                  name,
                  "4K",
                  "a power of two from 4K to 64K" + OF_LEVELS,
                  "a block of a table, the unit of reading and of the pool")
              .change(
                  "there are more scans than gets, or to compress better",
                  "a get reads a whole block");
      case FILTER_BITS ->
          Setting.of(
                  name,
                  "10",
                  "0 to 24 bits, 0 for none" + OF_LEVELS,
                  "bits of filters for each key")
              .change(
                  "most keys that are looked for are not there: more; a level is only scanned: 0",
                  "so many bits for each key, on the device and in the pool");
      case FILTER_PREFIX ->
          Setting.of(
                  name,
                  "0",
                  "0 to 65535 bytes, 0 for none",
                  "length of the prefixes of keys that filters know, too")
              .change(
                  "cursors stay within a prefix of exactly this length that often has no key",
                  "an entry in the filters for each prefix");
      case SEPARATE_VALUES ->
          Setting.of(
                  name,
                  "0",
                  "a size up to 1G; 0 for none",
                  "values from this length on lie in value files, not in tables")
              .change(
                  "values are long, from about 2K on, and overwritten",
                  "a get reads once more, a scan once for each value");
      case TABLE ->
          Setting.of(name, "8M", "a size from 256K to 1G", "what a compaction fills a table to")
              .change("there are too many files", "compactions in larger pieces");
      default -> throw unknown(setting);
    };
  }

  private static Setting ofTree(StoreSetting setting, String name) {
    return switch (setting) {
      case TABLES_BEFORE_MERGE ->
          Setting.of(name, "4", "2 to 64 tables", "tables of level 0 that start a compaction")
              .change("less is to be written", "a read looks into each table of level 0");
      case LEVEL_1 ->
          Setting.of(
                  name,
                  "0",
                  "a size from 256K to 1T; 0 for twice the memtables that start a compaction",
                  "size of level 1")
              .change("fewer levels are wanted", "merges of level 0 write more");
      case GROWTH ->
          Setting.of(name, "10", "2 to 100", "how many times larger each deeper level is")
              .change(
                  "fewer levels are wanted",
                  "each byte is written about half so many times a level");
      case STYLE ->
          Setting.of(
                  name,
                  "leveled",
                  "leveled, tiered or fifo",
                  "when tables are merged: tiered writes less and reads more, fifo merges nothing"
                      + " and lets the oldest tables go")
              .change(
                  "the store is written more than read (tiered), or old records lose their worth"
                      + " (fifo)",
                  "tiered: space, and more places to look; fifo: old records are lost");
      case FIFO ->
          Setting.of(name, "1G", "a size from 256K", "what fifo keeps")
              .change("more is to be kept", "space; more tables to look into");
      case VALUE_GARBAGE ->
          Setting.of(name, "50", "1 to 99 percent", "garbage at which a value file is rewritten")
              .change("less is to be written", "space");
      case MERGE ->
          Setting.of(
                  name,
                  "none",
                  "none, add64, min64, max64, greatest, last, or, or append: and a delimiter in"
                      + " hexadecimal digits",
                  "what merge does")
              .change(
                  "values are to change without being read first",
                  "the store keeps it for ever; reads merge the operands of their key");
      case TTL ->
          Setting.of(
                  name,
                  "0",
                  "a number of s, m, h or d, such as 36h, from 1s to 100 years; 0 for ever",
                  "how long records are read after they were written")
              .change(
                  "records are of no use some time after they were written",
                  "what has expired does not come back if it is made longer");
      case PERIODIC_COMPACTION ->
          Setting.of(
                  name,
                  "0",
                  "a number of s, m, h or d, such as 30d, from 1s to 100 years; 0 for never",
                  "after what time tables are written anew, when nothing else is to be done")
              .change(
                  "a filter, another compression or another key is to come to all tables by"
                      + " itself",
                  "each table is written once more in that time");
      default -> throw unknown(setting);
    };
  }

  private static AssertionError unknown(StoreSetting setting) {
    return new AssertionError("nobody has described setting=" + setting);
  }
}
