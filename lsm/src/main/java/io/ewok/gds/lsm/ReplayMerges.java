package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Merges the tables of a store that is made of an archive, as its background thread would: else
 * level 0 had one of each memtable, and who opens the store waited for one merge of them all.
 *
 * <p>Only what writes have hidden is left out: {@link #options} are without filters and times, and
 * what is {@link CompactionStyle#FIFO} stays as it is.
 *
 * <p>Ownership: part of the store that is made. Threads: confined to one.
 */
final class ReplayMerges {
  private static final long STEP_BYTES = 1 << 20;

  private final StoreParts parts;
  private final VersionSet versions;
  private final CompactionPlan plan;
  private final TableWriter writer;
  private final ValueFileWriter valueWriter;

  private ReplayMerges(StoreParts parts) {
    this.parts = parts;
    this.versions = parts.versions;
    this.plan = new CompactionPlan(parts);
    this.writer =
        new TableWriter(parts.engine, parts.mergeBuffer, StoreMemory.tableOptions(parts.options));
    this.valueWriter = StoreOpener.valueWriter(parts);
  }

  /** Those of a store without what takes records away by itself. */
  static StoreOptions options(StoreOptions options) {
    StoreOptions kept = options.withTree(keeping(options.tree()));
    for (Map.Entry<String, TreeOptions> family : options.families().entrySet()) {
      kept = kept.withFamily(family.getKey(), keeping(family.getValue()));
    }
    return kept.withListener(StoreListener.NONE);
  }

  private static TreeOptions keeping(TreeOptions tree) {
    return tree.withCompactionFilter(CompactionFilter.NONE)
        .withTtl(Duration.ZERO)
        .withPeriodicCompaction(Duration.ZERO);
  }

  /** Opens the tables there are, which nobody writes to. */
  static ReplayMerges open(StoreParts parts) throws IOException {
    StoreOpener.openBuffers(parts);
    Manifest manifest = parts.tables.manifest();
    parts.families.all().forEach(family -> withExpiration(parts, family));
    Memtable empty = parts.space.tryCreate();
    try {
      StoreOpener.openVersions(parts, empty, null, manifest.horizonLsn());
    } finally {
      empty.release();
    }
    return new ReplayMerges(parts);
  }

  /** What had expired at the backup has; nothing else does here. */
  private static void withExpiration(StoreParts parts, FamilyState family) {
    WriteTimes times = parts.tables.manifest().family(family.id()).writeTimes();
    family.withExpiration(new Expiration(() -> Duration.ZERO, parts.clock, times));
  }

  /** A family is in the manifest that nobody has written to yet. */
  void created(FamilyState family) {
    withExpiration(parts, family);
    versions.familyCreated(family.id(), Levels.EMPTY);
    parts.families.add(family);
  }

  /** A family is not in the manifest any more. */
  void dropped(FamilyState family) {
    Version version = versions.retain();
    try {
      version.levels(family.id()).tables().forEach(Table::setReplaced);
      versions.familyDropped(family.id());
      parts.families.remove(family);
    } finally {
      versions.release(version);
    }
    parts.tables.closeUnused();
  }

  /**
   * New tables of level 0 are in the manifest; merges what is too much then.
   *
   * @param endLsn all that was written up to there is in tables
   */
  void flushed(List<TableMeta> metas, long endLsn) throws IOException {
    for (FamilyState family : parts.families.all()) {
      List<Table> opened =
          parts.tables.openAll(
              metas.stream().filter(meta -> meta.family() == family.id()).toList());
      try {
        versions.added(family.id(), new TreeMap<>(Map.of(0, opened)));
      } finally {
        opened.forEach(Table::release);
      }
    }
    if (endLsn > versions.sequence()) {
      boolean isVisible = versions.order().tryPublish(versions.sequence(), endLsn);
      assert isVisible : "nobody else writes";
    }
    for (Compaction next = next(); next != null; next = next()) {
      run(next);
    }
  }

  /** The next one, or null if nothing is due. */
  private Compaction next() {
    Version version = versions.retain();
    try {
      plan.look(version);
      for (CompactionPlan.Part part = plan.next(version); part != null; part = plan.next(version)) {
        CompactionInputs inputs =
            part.options().style() == CompactionStyle.FIFO ? null : plan.pickDue(part, version);
        if (inputs != null) {
          return new Compaction(
              part.family,
              inputs,
              versions,
              parts.tables,
              writer,
              valueWriter,
              parts.readBuffer,
              part.options(),
              parts.counters,
              parts.events);
        }
        plan.nothingDue(part);
      }
      return null;
    } finally {
      versions.release(version);
    }
  }

  private void run(Compaction compaction) throws IOException {
    boolean isDone = false;
    try {
      while (!compaction.step(STEP_BYTES)) {
        // goes on
      }
      isDone = true;
    } finally {
      if (!isDone) {
        compaction.abandon();
      }
    }
    plan.done(compaction.family());
    parts.tables.closeUnused();
  }

  /** Closes the tables; files of those that were merged are gone then. */
  void finish() {
    versions.close();
    parts.tables.closeUnused();
  }
}
