package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What is to be compacted next, among all families: of those that have something due, the one that
 * is furthest from its shape. Each that had to wait counts more the next time, so that one that is
 * written all the time does not keep the others from their turn.
 *
 * <p>Threads: confined to the background thread.
 */
final class CompactionPlan {
  private static final System.Logger LOGGER = System.getLogger(CompactionPlan.class.getName());

  /** What a family's score grows by when another one comes first. */
  private static final double WAITING_SCORE = 0.25;

  /** Clocks may be set, so they are looked at now and then. */
  private static final long STEP_MILLIS_MIN = 100;

  private static final long STEP_MILLIS_MAX = 60_000;

  /** Level 0 goes before a compaction that somebody asked for when it is so much too large. */
  private static final int LEVEL_0_URGENT = 2;

  private final Families families;
  private final LiveOptions live;
  private final VersionSet versions;
  private final LongSupplier clock;
  private final List<Part> parts = new ArrayList<>();
  private Version lookedAt;

  /** When the next table is old that was not then, in milliseconds since the epoch. */
  private long oldMillis = Long.MAX_VALUE;

  /** What is known of one family. */
  static final class Part {
    final FamilyState family;

    /** Those that were in force when it was looked at last. */
    private CompactionOptions options;

    private CompactionPicker picker;

    /** Whether there is something to compact in the version that was looked at last. */
    private boolean isDue;

    /** How often another one came first since it was due. */
    private int waited;

    /** After a failure: compactions start by themselves when level 0 has so many tables. */
    private int pausedUntilTables;

    private Part(FamilyState family) {
      this.family = family;
    }

    CompactionOptions options() {
      return options;
    }

    CompactionPicker picker() {
      return picker;
    }

    private double score(Version version) {
      double highest = 0;
      for (int level = 0; level < Manifest.LEVELS; level++) {
        highest = Math.max(highest, picker.score(version.levels(family), level));
      }
      return highest + WAITING_SCORE * waited;
    }
  }

  CompactionPlan(StoreParts of) {
    this.families = of.families;
    this.live = of.live;
    this.versions = of.versions;
    this.clock = of.clock;
    useLiveOptions();
  }

  /** Goes by families and options as they are now. */
  void useLiveOptions() {
    parts.removeIf(part -> families.find(part.family.id()) != part.family);
    for (FamilyState family : families.all()) {
      Part part = find(family);
      if (part == null) {
        part = new Part(family);
        parts.add(part);
      }
      CompactionOptions next = live.compaction(family);
      if (!next.equals(part.options)) {
        part.options = next;
        part.picker = CompactionPicker.of(next);
        lookedAt = null;
      }
    }
  }

  /** Whether options have changed since. */
  boolean hasNewOptions() {
    return parts.stream().anyMatch(part -> !live.compaction(part.family).equals(part.options));
  }

  /** That of a family, or null if it is gone. */
  Part find(FamilyState family) {
    for (Part part : parts) {
      if (part.family == family) {
        return part;
      }
    }
    return null;
  }

  /** Has everything looked at anew. */
  void forgetVersion() {
    lookedAt = null;
  }

  /** Looks at a version, unless it did already and nothing has become old since. */
  void look(Version version) {
    useLiveOptions();
    if (version == lookedAt && !hasNewlyOld()) {
      return;
    }
    lookedAt = version;
    oldMillis = Long.MAX_VALUE;
    long now = clock.getAsLong();
    for (Part part : parts) {
      Levels levels = version == null ? null : version.levels(part.family.id());
      estimateHiddenShares(levels);
      part.isDue =
          levels != null
              && levels.level(0).size() >= part.pausedUntilTables
              && part.picker.pickDue(levels, versions.oldestSequence(part.family), now) != null;
      long old = levels == null ? Long.MAX_VALUE : part.picker.oldMillis(levels);
      oldMillis = Math.min(oldMillis, old > now ? old : Long.MAX_VALUE);
    }
  }

  /** Chooses what is due of a part, or null. */
  CompactionInputs pickDue(Part part, Version version) {
    return part.picker.pickDue(
        version.levels(part.family), versions.oldestSequence(part.family), clock.getAsLong());
  }

  /** Whether a table is old now that was not when a version was looked at. */
  boolean hasNewlyOld() {
    return oldMillis < Long.MAX_VALUE && clock.getAsLong() >= oldMillis;
  }

  /** In how many milliseconds it is best asked that; 0 if that is of no use. */
  long oldStepMillis() {
    return oldMillis == Long.MAX_VALUE
        ? 0
        : Math.clamp(oldMillis - clock.getAsLong(), STEP_MILLIS_MIN, STEP_MILLIS_MAX);
  }

  /**
   * Returns how far behind compactions are, 0 to 1.
   *
   * @param flushBytes as for {@link CompactionPicker#pressureOfLevel0}
   */
  double pressure(long flushBytes, Compaction runningOrNull) {
    Version version = lookedAt;
    double pressure = 0;
    for (Part part : version == null ? List.<Part>of() : parts) {
      Levels levels = version.levels(part.family.id());
      if (levels != null) {
        Compaction running = ofFamily(runningOrNull, part);
        pressure = Math.max(pressure, part.picker.pressure(levels, flushBytes, running));
      }
    }
    return pressure;
  }

  private static Compaction ofFamily(Compaction runningOrNull, Part part) {
    return runningOrNull != null && runningOrNull.family() == part.family ? runningOrNull : null;
  }

  /** What is not known then is not compacted for that; who reads what is damaged will say so. */
  private static void estimateHiddenShares(Levels levelsOrNull) {
    try {
      if (levelsOrNull != null) {
        levelsOrNull.estimateHiddenShares();
      }
    } catch (IOException e) {
      LOGGER.log(System.Logger.Level.WARNING, "cannot tell what range deletes hide", e);
    }
  }

  /** Whether there is something to compact. */
  boolean isDue() {
    return parts.stream().anyMatch(part -> part.isDue);
  }

  /**
   * Whether level 0 of a family has too much for anything to go before it.
   *
   * @param flushBytes as for {@link CompactionPicker#pressureOfLevel0}
   */
  boolean isLevel0Full(long flushBytes, Compaction runningOrNull) {
    Version version = lookedAt;
    return version != null
        && parts.stream()
            .anyMatch(
                part ->
                    part.isDue
                        && part.picker.pressureOfLevel0(
                                version.levels(part.family.id()),
                                flushBytes,
                                ofFamily(runningOrNull, part))
                            >= 1);
  }

  /** Whether something is due that goes before what somebody asked for. */
  boolean isUrgent(Version version) {
    return parts.stream()
        .anyMatch(
            part ->
                part.isDue && part.picker.score(version.levels(part.family), 0) >= LEVEL_0_URGENT);
  }

  /** The one whose turn it is, or null if nothing is due. */
  Part next(Version version) {
    Part first = null;
    for (Part part : parts) {
      if (part.isDue && (first == null || part.score(version) > first.score(version))) {
        first = part;
      }
    }
    for (Part part : parts) {
      part.waited = part.isDue && part != first ? part.waited + 1 : 0;
    }
    return first;
  }

  /** One that has something to do while little is written, or null. */
  Part nextAtRest(Version version) {
    for (Part part : parts) {
      if (hasWorkAtRest(part, version, versions.oldestSequence(part.family))) {
        return part;
      }
    }
    return null;
  }

  /**
   * The same of the version that was looked at last; also if there will be something to do once
   * readers have left.
   */
  boolean hasWorkAtRest() {
    Version version = lookedAt;
    return version != null
        && parts.stream().anyMatch(part -> hasWorkAtRest(part, version, RecordKind.SEQUENCE_MAX));
  }

  private static boolean hasWorkAtRest(Part part, Version version, long oldestSequence) {
    return part.pausedUntilTables == 0
        && part.picker.pickAtRest(version.levels(part.family), oldestSequence) != null;
  }

  /** Says that there is nothing to do. */
  void nothingDue(Part part) {
    part.isDue = false;
  }

  /** Says that a compaction was done. */
  void done(FamilyState family) {
    Part part = find(family);
    if (part != null) {
      part.pausedUntilTables = 0;
    }
    lookedAt = null;
  }

  /** Has compactions tried that failed. */
  void retry() {
    parts.forEach(part -> part.pausedUntilTables = 0);
    lookedAt = null;
  }

  /** Says that a compaction failed: each flush would make it try in vain. */
  void failed(FamilyState family) {
    Part part = find(family);
    Version version = versions.currentOrNull();
    if (part != null) {
      Levels levels = version == null ? null : version.levels(family.id());
      part.pausedUntilTables =
          (levels == null ? 0 : levels.level(0).size()) + part.options.level0Tables();
    }
    lookedAt = null;
  }
}
