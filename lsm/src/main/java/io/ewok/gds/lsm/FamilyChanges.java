package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Creates, clones and drops families of an open store.
 *
 * <p>A family is in the manifest before anybody can write to it, so what the log has of families
 * that the manifest does not know was dropped, if their numbers were ever given. It is out of the
 * manifest before its tables are deleted.
 *
 * <p>A clone has the tables of another family, under numbers of its own, in the same files ({@link
 * TableMeta#fileNumber}): nothing is copied, and from then on each of the two goes its own way. A
 * file goes when no table is in it any more.
 *
 * <p>Threads: the background thread, which alone changes the manifest; {@link #beginDrop} and
 * {@link #endDrop} any.
 */
final class FamilyChanges {
  /** The most families that a store may have: each takes room in the memtable and the manifest. */
  static final int FAMILIES_MAX = 1024;

  /** What is said when one fails. */
  static final String FAILED = "the families cannot be changed";

  private final TableSet tables;
  private final VersionSet versions;
  private final Families families;
  private final LiveOptions live;
  private final StoreFiles files;
  private final WriteAheadLog log;
  private final LongSupplier clock;
  private final StoreParts parts;

  FamilyChanges(StoreParts parts) {
    this.tables = parts.tables;
    this.versions = parts.versions;
    this.families = parts.families;
    this.live = parts.live;
    this.files = parts.files;
    this.log = parts.log;
    this.clock = parts.clock;
    this.parts = parts;
  }

  /**
   * Checks a name.
   *
   * @throws IllegalArgumentException if no family can be called so
   */
  static void requireName(String name) {
    if (!FamilyEdit.isName(name)) {
      throw new IllegalArgumentException(
          "a family has a name of 1 to %d bytes, without control characters: name=%s"
              .formatted(Family.NAME_BYTES_MAX, name));
    }
  }

  /** Creates a family. After an exception there is none; after a crash then there may be. */
  FamilyState create(String name, TreeOptions options) throws IOException {
    FamilyEdit about = next(name, options.mergeOperator().name(), WriteTimes.NONE);
    if (parts.archive != null) {
      parts.archive.requireRoomForFamilies(1);
    }
    tables.install(tables.manifest().edit().creating(about));
    if (parts.archive != null) {
      parts.archive.markFamilies(); // before anybody writes to it
    }
    FamilyState created = state(about, options);
    versions.familyCreated(created.id(), Levels.EMPTY);
    families.add(created);
    return created;
  }

  /**
   * Creates a family with all that is in the tables of another one. After an exception there is
   * none; after a crash then there may be.
   */
  FamilyState cloneOf(FamilyState from, String name, TreeOptions options) throws IOException {
    from.requireThere();
    FamilyManifest source = tables.manifest().family(from.id());
    String operator = options.mergeOperator().name();
    if (!source.mergeOperator().isEmpty() && !source.mergeOperator().equals(operator)) {
      throw new IllegalArgumentException(
          "a clone has the merge operator of its family, whose operands it has: family=%s"
                  .formatted(from.name())
              + " mergeOperator=%s wanted=%s".formatted(source.mergeOperator(), operator));
    }
    long barrier = 0;
    if (parts.archive != null) {
      parts.archive.requireRoomForFamilies(1);
      barrier = parts.archive.markBarrier("a family was cloned: family=" + name);
    }
    long written = versions.sequence();
    from.expiration().advance(written);
    FamilyEdit about = next(name, operator, from.expiration().times());
    // Else what is lost in a crash would give its numbers, and its age, to what comes after.
    log.sync(Math.max(written, barrier));
    List<List<TableMeta>> levels = cloned(source, about.id());
    ManifestEdit edit = tables.manifest().edit().creating(about);
    for (int level = 0; level < Manifest.LEVELS; level++) {
      edit = edit.adding(level, levels.get(level));
    }
    List<List<Table>> opened = new ArrayList<>();
    try {
      for (List<TableMeta> level : levels) {
        opened.add(tables.openAll(level));
      }
      tables.install(edit);
      if (parts.archive != null) {
        parts.archive.markFamilies();
      }
      FamilyState created = state(about, options);
      created.lose(from.lostSequence());
      versions.familyCreated(created.id(), new Levels(opened));
      versions.holdSnapshots(); // each knows the clone, or is told of it
      try {
        versions.familyCloned(from.id(), created.id());
        families.add(created);
      } finally {
        versions.releaseSnapshots();
      }
      return created;
    } finally {
      // The version has retained them, if there is one.
      opened.forEach(level -> level.forEach(Table::release));
    }
  }

  /** The tables of a family as those of another. */
  private List<List<TableMeta>> cloned(FamilyManifest source, int family) {
    long next = tables.takeNumbers(source.tables().size());
    List<List<TableMeta>> levels = new ArrayList<>();
    for (List<TableMeta> level : source.levels()) {
      List<TableMeta> cloned = new ArrayList<>();
      for (TableMeta meta : level) {
        cloned.add(meta.clonedTo(next++, family));
      }
      levels.add(cloned);
    }
    return levels;
  }

  private FamilyEdit next(String name, String operator, WriteTimes times) throws IOException {
    Manifest manifest = tables.manifest();
    if (families.find(name) != null) {
      throw new IllegalArgumentException("there is a family with this name: name=" + name);
    }
    if (families.all().size() >= FAMILIES_MAX) {
      throw new IllegalArgumentException(
          "a store has so many families at most: families=" + FAMILIES_MAX);
    }
    if (manifest.nextFamily() == Integer.MAX_VALUE) {
      throw new StorageException(
          "all numbers of families were given: nextFamily=" + manifest.nextFamily(),
          files.manifest());
    }
    return new FamilyEdit(manifest.nextFamily(), name, operator, times);
  }

  private FamilyState state(FamilyEdit about, TreeOptions options) {
    live.setFamily(about.name(), options);
    FamilyState family =
        new FamilyState(
            about.id(), about.name(), Merging.of(live.options(), options, files.directory()));
    family.withExpiration(
        new Expiration(() -> live.compaction(family).ttl(), clock, about.writeTimes()));
    family.expiration().advance(versions.sequence());
    return family;
  }

  /**
   * Lets nobody begin to use a family that is to be dropped.
   *
   * @throws IllegalStateException if it is dropped, or somebody else drops it
   */
  synchronized void beginDrop(FamilyState family) {
    if (family.isBeingDropped || families.find(family.id()) != family) {
      throw family.dropped();
    }
    family.isBeingDropped = true;
    family.setDropped(true);
  }

  /** After {@link #beginDrop}, whatever came of it. */
  synchronized void endDrop(FamilyState family) {
    family.isBeingDropped = false;
    // If the manifest may say that it is gone, what is written to it now could be lost in a crash.
    boolean isThere = families.find(family.id()) == family && !tables.isManifestDoubtful();
    family.setDropped(!isThere);
  }

  /** Drops a family. */
  FamilyState drop(FamilyState family) throws IOException {
    if (parts.archive != null) {
      parts.archive.requireRoomForFamilies(0);
    }
    tables.install(tables.manifest().edit().dropping(family.id()));
    if (parts.archive != null) {
      parts.archive.markFamilies();
    }
    // From here on nothing fails.
    Version version = versions.retain();
    try {
      version.levels(family.id()).tables().forEach(Table::setReplaced);
      versions.familyDropped(family.id());
      families.remove(family);
    } finally {
      versions.release(version);
    }
    return family;
  }
}
