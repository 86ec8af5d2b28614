package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreStats;
import java.nio.file.Path;

/**
 * What a demonstration showed, as a table for people and as one JSON object for machines.
 *
 * @param readNanos what reading the input took
 * @param totalNanos from start to end
 * @param kept where the store was left, or null
 */
record DemoReport(
    DemoPlan plan,
    long readNanos,
    LoadPhase.Result load,
    CrashPhase.Result crash,
    ReadPhase.Result read,
    long totalNanos,
    Path kept) {

  Table table() {
    StoreStats.Memory memory = peakMemory();
    int records = plan.data().count();
    Table table = new Table();
    table.row("engine", load.stats().engine(), load.stats().engineReason());
    table.row(
        "data",
        Units.count(records) + " records",
        Units.bytes(plan.data().dataBytes()) + " from " + plan.source() + copies());
    table.row(
        "memory",
        Units.bytes(memory.peakBytes()),
        "at most, of a budget of %s; pool and memtables are %s, 1/%s of the data"
            .formatted(
                Units.bytes(memory.limitBytes()),
                Units.bytes(cacheBytes()),
                Units.ratio((double) plan.data().dataBytes() / cacheBytes())));
    table.row(
        "load, random order",
        perSecond(records, load.nanos()),
        "%s, all merged in the end: flushes %s, merges %s"
            .formatted(
                Units.seconds(load.nanos()),
                Units.count(load.stats().flushes()),
                Units.count(load.stats().merges())));
    table.row(
        "written per byte of data",
        Units.ratio(load.stats().written().amplification()),
        "log %s, flush %s, merge %s"
            .formatted(
                Units.bytes(load.stats().written().logBytes()),
                Units.bytes(load.stats().written().flushBytes()),
                Units.bytes(load.stats().written().mergeBytes())));
    table.row(
        "synced load, killed",
        perSecond(crash.acknowledged(), crash.loadNanos()),
        "SIGKILL after %s; open again in %s"
            .formatted(Units.seconds(crash.loadNanos()), Units.seconds(crash.recoveryNanos())));
    table.row(
        "acknowledged",
        Units.count(crash.acknowledged()) + " records",
        "all there and right after SIGKILL; %s found in all".formatted(Units.count(crash.found())));
    table.row(
        "point reads, cold",
        perSecond(records, read.pointNanos()),
        "%s, %d threads, random order, every value right"
            .formatted(Units.seconds(read.pointNanos()), ReadPhase.READERS));
    table.row(
        "device reads",
        Units.count(Units.perSecond(read.deviceReads(), read.pointNanos())) + " IOPS",
        Units.count(read.deviceReads()) + " during the point reads");
    table.row("buffer hit ratio", Units.percent(read.hitRatio()), "during the point reads");
    table.row(
        "scan forward", perSecond(records, read.forwardNanos()), scanned(read.forwardNanos()));
    table.row(
        "scan backward", perSecond(records, read.backwardNanos()), scanned(read.backwardNanos()));
    table.row(
        "time",
        Units.seconds(totalNanos),
        "input %s, load %s, kill and check %s, open %s, reads %s, scans %s"
            .formatted(
                Units.seconds(readNanos),
                Units.seconds(load.nanos()),
                Units.seconds(crash.nanos()),
                Units.seconds(read.openNanos()),
                Units.seconds(read.pointNanos()),
                Units.seconds(read.forwardNanos() + read.backwardNanos())));
    table.row("seed", Long.toString(plan.seed()), "--seed repeats the order and the kill");
    if (kept != null) {
      table.row("kept", kept.toString(), "gds stats %s".formatted(kept));
    }
    return table;
  }

  void write(JsonOutput.Fields line) {
    StoreStats.Memory memory = peakMemory();
    StoreStats.Written written = load.stats().written();
    int records = plan.data().count();
    line.text("engine", load.stats().engine())
        .text("engine_reason", load.stats().engineReason())
        .text("source", plan.source())
        .number("copies", plan.copies())
        .number("seed", plan.seed())
        .number("records", records)
        .number("data_bytes", plan.data().dataBytes())
        .number("cache_bytes", cacheBytes())
        .number("memory_peak_bytes", memory.peakBytes())
        .number("memory_limit_bytes", memory.limitBytes())
        .number("load_per_second", Units.perSecond(records, load.nanos()))
        .number("flushes", load.stats().flushes())
        .number("merges", load.stats().merges())
        .number("log_bytes", written.logBytes())
        .number("flush_bytes", written.flushBytes())
        .number("merge_bytes", written.mergeBytes())
        .number("written_per_data_byte", written.amplification())
        .number("acknowledged", crash.acknowledged())
        .number("found_after_kill", crash.found())
        .number("synced_per_second", Units.perSecond(crash.acknowledged(), crash.loadNanos()))
        .number("recovery_seconds", Units.inSeconds(crash.recoveryNanos()))
        .number("point_reads_per_second", Units.perSecond(records, read.pointNanos()))
        .number("device_reads", read.deviceReads())
        .number("device_read_iops", Units.perSecond(read.deviceReads(), read.pointNanos()))
        .number("hit_ratio", read.hitRatio())
        .number("scan_forward_per_second", Units.perSecond(records, read.forwardNanos()))
        .number("scan_backward_per_second", Units.perSecond(records, read.backwardNanos()))
        .number("input_seconds", Units.inSeconds(readNanos))
        .number("load_seconds", Units.inSeconds(load.nanos()))
        .number("kill_seconds", Units.inSeconds(crash.nanos()))
        .number("point_seconds", Units.inSeconds(read.pointNanos()))
        .number("scan_seconds", Units.inSeconds(read.forwardNanos() + read.backwardNanos()))
        .number("total_seconds", Units.inSeconds(totalNanos));
    if (kept != null) {
      line.text("kept", kept.toString());
    }
  }

  private long cacheBytes() {
    return StoreSizes.cacheBytes(plan.options());
  }

  private StoreStats.Memory peakMemory() {
    StoreStats.Memory loading = load.stats().memory();
    StoreStats.Memory reading = read.end().memory();
    return loading.peakBytes() >= reading.peakBytes() ? loading : reading;
  }

  private String copies() {
    return plan.copies() == 0 ? "" : ", repeated " + plan.copies() + " times to be large enough";
  }

  private static String perSecond(long count, long nanos) {
    return Units.count(Units.perSecond(count, nanos)) + " records/s";
  }

  private static String scanned(long nanos) {
    return Units.seconds(nanos) + ", count, order and content right";
  }
}
