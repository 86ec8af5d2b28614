package io.ewok.gds.buffers;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.ProcessMemory;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.wal.WriteAheadLog;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Options of a buffer manager from flat settings, see {@link BufferOptions#from}. */
final class BufferSettings {
  private static final Pattern NAMES = Pattern.compile("buffers\\..*");
  private static final String POOL = "buffers.pool";
  private static final String FRAME = "buffers.frame";
  private static final String WAIT_MILLIS = "buffers.wait-max-ms";
  private static final String EVICTION = "buffers.eviction";
  private static final String PLACEMENTS = "buffers.placements";
  private static final String HUGE_PAGES = "buffers.huge-pages";
  private static final String FIX_ORIGINS = "buffers.fix-origins";
  private static final long POOL_BYTES = 64 << 20;
  private static final int FRAME_BYTES = 4096;

  static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  POOL,
                  "64M",
                  "a size, or a percentage of what the process may use; at least 8 frames a"
                      + " placement",
                  "memory of a buffer manager for pages and blocks")
              .change("fewer reads are to go to the device", "memory"),
          Setting.of(
                  FRAME,
                  "4K",
                  "a power of two from 4K",
                  "a frame of that pool: the size of most pages or blocks")
              .change(
                  "pages have another size",
                  "smaller pages waste the rest of their frame, larger ones need neighbouring"
                      + " frames"),
          Setting.of(
                  WAIT_MILLIS,
                  "10000",
                  "1 to 3600000 milliseconds",
                  "how long to wait for a latch or for frames before an exception tells of it")
              .change("writing pages back takes longer", "what is never unfixed is told of later"),
          Setting.of(
                  EVICTION,
                  "s3-fifo",
                  "clock, s3-fifo or car",
                  "what leaves that pool when there is no room")
              .change(
                  "traces of the workload have more hits with another ('gds trace replay')",
                  "heap: s3-fifo and car take about three times as much for each frame as clock"),
          Setting.of(
                  PLACEMENTS,
                  "default",
                  "policies as of numa.policy with semicolons between them, such as bind:0;bind:1",
                  "the NUMA nodes on which the partitions of that pool lie, at least one for each"
                      + " policy")
              .change(
                  "the machine has several nodes: a policy for each spreads the pool over them",
                  "no block is longer than a partition"),
          Setting.of(
                  HUGE_PAGES,
                  "auto",
                  "auto, hugetlb or off",
                  "the pages of the system that the memory of that pool is asked for in, as of"
                      + " memory.huge-pages")
              .change(
                  "off where most of the pool stays untouched; hugetlb where latency must not"
                      + " depend on what the kernel finds in one piece",
                  "hugetlb: memory that the administrator sets aside, all touched at the start"),
          Setting.of(
                  FIX_ORIGINS,
                  "false",
                  "true or false",
                  "whether exceptions tell where what is never unfixed was fixed")
              .change("there are such exceptions", "a stack trace for each fix"));

  private final Map<String, String> settings;

  private BufferSettings(Map<String, String> settings) {
    this.settings = settings;
  }

  static BufferOptions read(Map<String, String> settings, WriteAheadLog logOrNull) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new BufferSettings(settings).options(logOrNull);
  }

  private BufferOptions options(WriteAheadLog logOrNull) {
    long frameBytes = size(FRAME, FRAME_BYTES);
    return new BufferOptions(
        size(POOL, POOL_BYTES),
        (int) Math.min(frameBytes, Integer.MAX_VALUE),
        logOrNull,
        Duration.ofMillis(Settings.readInt(settings, WAIT_MILLIS, 10_000)),
        Settings.readEnum(settings, EVICTION, EvictionKind.S3_FIFO),
        Settings.read(
            settings,
            PLACEMENTS,
            text -> PlacementPolicy.parseAll(PLACEMENTS, text),
            List.of(PlacementPolicy.none())),
        Settings.readEnum(settings, HUGE_PAGES, HugePages.AUTO),
        Settings.readBoolean(settings, FIX_ORIGINS, false));
  }

  private long size(String name, long otherwise) {
    return Settings.read(
        settings,
        name,
        text -> MemorySize.parse(name, text).bytes(ProcessMemory.limitBytes()),
        otherwise);
  }
}
