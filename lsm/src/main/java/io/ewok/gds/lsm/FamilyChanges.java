package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.util.function.LongSupplier;

/**
 * Creates and drops families of an open store.
 *
 * <p>A family is in the manifest before anybody can write to it, so what the log has of families
 * that the manifest does not know was dropped, if their numbers were ever given. It is out of the
 * manifest before its tables are deleted.
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
  private final LongSupplier clock;
  private final StoreParts parts;

  FamilyChanges(StoreParts parts) {
    this.tables = parts.tables;
    this.versions = parts.versions;
    this.families = parts.families;
    this.live = parts.live;
    this.files = parts.files;
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
    FamilyEdit about =
        new FamilyEdit(
            manifest.nextFamily(), name, options.mergeOperator().name(), WriteTimes.NONE);
    if (parts.archive != null) {
      parts.archive.requireRoomForFamilies(1);
    }
    tables.install(manifest.edit().creating(about));
    if (parts.archive != null) {
      parts.archive.markFamilies(); // before anybody writes to it
    }
    live.setFamily(name, options);
    FamilyState family =
        new FamilyState(about.id(), name, Merging.of(live.options(), options, files.directory()));
    family.withExpiration(
        new Expiration(() -> live.compaction(family).ttl(), clock, WriteTimes.NONE));
    family.expiration().advance(versions.sequence());
    versions.familyCreated(family.id());
    families.add(family);
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
