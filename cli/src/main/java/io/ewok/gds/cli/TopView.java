package io.ewok.gds.cli;

import io.ewok.gds.lsm.StallReason;
import io.ewok.gds.lsm.StoreWatch;
import io.ewok.gds.pagestore.WorkClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What {@code gds top} shows of two readings of a store's counters: what lies between the two. */
final class TopView {
  /** Thousandths, which scores are told in. */
  private static final double SCORE = 1_000;

  private static final List<String> STALLS = names(StallReason.values());
  private static final List<String> CLASSES = names(WorkClass.values());

  private final StoreWatch.Reading before;
  private final StoreWatch.Reading now;
  private final long nanos;

  /** Of two readings of one process, the first of which may be the second itself. */
  TopView(StoreWatch.Reading before, StoreWatch.Reading now) {
    this.before = before;
    this.now = now;
    this.nanos = Math.max(0, grown("nanos"));
  }

  /** As they stand in the names of counters. */
  private static List<String> names(Enum<?>[] values) {
    return Stream.of(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
  }

  private long grown(String name) {
    return now.number(name) - before.number(name);
  }

  /** How much a second; nothing where no time has passed. */
  private long rate(String... names) {
    long sum = 0;
    for (String name : names) {
      sum += grown(name);
    }
    return nanos == 0 ? 0 : Units.perSecond(sum, nanos);
  }

  private String bytesRate(String... names) {
    return Units.bytes(rate(names)) + "/s";
  }

  private String countRate(String... names) {
    return Units.count(rate(names)) + "/s";
  }

  /** The part of what was looked for that was found; not a number where nothing was. */
  private double hitRatio(String cache) {
    long hits = grown(cache + ".hit");
    long all = hits + grown(cache + ".miss");
    return all == 0 ? Double.NaN : (double) hits / all;
  }

  private double writeAmplification() {
    long user = grown("bytes.user");
    long written = grown("bytes.log") + grown("bytes.flush") + grown("bytes.merge");
    return user == 0 ? Double.NaN : (double) written / user;
  }

  /** How much of the time all writers together have waited; above 1 if several did. */
  private double stalled(String reason) {
    return nanos == 0 ? 0 : (double) grown("stall." + reason + ".nanos") / nanos;
  }

  /** Everything, for people. */
  String text(String store, long ageMillis) {
    Table table = new Table();
    table.row("store", store, "process " + now.process() + age(ageMillis));
    table.row(
        "memory",
        "%s of %s"
            .formatted(
                Units.bytes(now.number("memory.used")), Units.bytes(now.number("memory.limit"))),
        "peak %s, cursors %s"
            .formatted(Units.bytes(now.number("memory.peak")), Units.count(now.number("cursors"))));
    table.row(
        "writes",
        countRate("operations"),
        "%s, %s bytes written for one"
            .formatted(bytesRate("bytes.user"), Units.ratio(writeAmplification())));
    table.row(
        "gets",
        countRate("gets"),
        "blocks in memory %s, records %s"
            .formatted(Units.percent(hitRatio("blocks")), Units.percent(hitRatio("records"))));
    table.row("device reads", countRate("device.reads"), bytesRate("device.bytes.read"));
    table.row(
        "device writes",
        countRate("device.writes"),
        "%s, syncs %s".formatted(bytesRate("device.bytes.written"), countRate("device.syncs")));
    table.row(
        "tables written",
        bytesRate("bytes.flush", "bytes.merge"),
        "flushes %s, merges %s".formatted(bytesRate("bytes.flush"), bytesRate("bytes.merge")));
    table.row(
        "log",
        Units.bytes(now.number("log.end") - now.number("log.horizon")),
        "not in tables yet, %s of that not durable, room for %s"
            .formatted(
                Units.bytes(now.number("log.end") - now.number("log.durable")),
                Units.bytes(now.number("log.left"))));
    table.row("writers wait", Units.percent(stalled()), stalls());
    for (String line : limits()) {
      table.row("limits", "", line);
    }
    return table + "\n" + levels();
  }

  private static String age(long millis) {
    return millis < 2_000 ? "" : ", which has said nothing for " + millis / 1_000 + " s";
  }

  private double stalled() {
    return STALLS.stream().mapToDouble(this::stalled).sum();
  }

  private String stalls() {
    List<String> parts = new ArrayList<>();
    for (String reason : STALLS) {
      if (stalled(reason) > 0) {
        parts.add(reason + " " + Units.percent(stalled(reason)));
      }
    }
    return parts.isEmpty() ? "of the time" : "of the time: " + String.join(", ", parts);
  }

  /** Classes of work that limits are told of, see {@code throttle.…}. */
  private List<String> limits() {
    List<String> lines = new ArrayList<>();
    for (String work : CLASSES) {
      String name = "class." + work;
      if (now.number(name + ".operations") > 0) {
        double waited = nanos == 0 ? 0 : (double) grown(name + ".throttled.nanos") / nanos;
        lines.add(
            "%s %s, %s, limits made it wait for %s of the time, waiting now %s"
                .formatted(
                    work,
                    countRate(name + ".operations"),
                    bytesRate(name + ".bytes"),
                    Units.percent(waited),
                    Units.count(now.number(name + ".waiting"))));
      }
    }
    return lines;
  }

  private String levels() {
    Table table = new Table().row("level", "tables", "size", "score");
    int deepest = 0;
    int count = 0;
    while (now.values().containsKey("level." + count + ".tables")) {
      deepest = now.number("level." + count + ".tables") > 0 ? count : deepest;
      count++;
    }
    for (int level = 0; level <= deepest; level++) {
      String name = "level." + level;
      table.row(
          Integer.toString(level),
          Units.count(now.number(name + ".tables")),
          Units.bytes(now.number(name + ".bytes")),
          String.format(Locale.ROOT, "%.2f", now.number(name + ".score") / SCORE));
    }
    return table.toString();
  }

  /** The rates, and all counters as they are, for programs. */
  void write(JsonOutput.Fields line) {
    line.number("time_millis", now.millis())
        .number("process", now.process())
        .number("interval_nanos", nanos)
        .number("writes_per_second", rate("operations"))
        .number("gets_per_second", rate("gets"))
        .number("block_hit_ratio", hitRatio("blocks"))
        .number("record_hit_ratio", hitRatio("records"))
        .number("write_amplification", writeAmplification())
        .number("device_reads_per_second", rate("device.reads"))
        .number("device_writes_per_second", rate("device.writes"))
        .number("device_read_bytes_per_second", rate("device.bytes.read"))
        .number("device_written_bytes_per_second", rate("device.bytes.written"))
        .number("stalled", stalled());
    now.values()
        .forEach(
            (name, value) -> {
              String key = name.replace('.', '_');
              if (name.equals("engine")) {
                line.text(key, value);
              } else {
                line.number(key, now.number(name));
              }
            });
  }
}
