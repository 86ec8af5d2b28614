package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What makes up a store on disk besides its log: the sum of the edits in the manifest file.
 *
 * @param created whether the log was created too; until then there is nothing to lose
 * @param nextNumber number of the next table; all tables have smaller ones
 * @param horizonLsn records of the log up to here are in the tables
 * @param lastSequence newest sequence number in the tables, 0 if there is none
 * @param nextFamily number of the next family; all that ever were have smaller ones
 * @param families by number, {@link #MAIN} always among them
 * @param values value files that tables refer to, by number
 */
record Manifest(
    boolean created,
    long nextNumber,
    long horizonLsn,
    long lastSequence,
    int nextFamily,
    SortedMap<Integer, FamilyManifest> families,
    SortedMap<Long, ValueFileUse> values) {

  /** The number of levels; with the usual growth from one to the next far more than fit a disk. */
  static final int LEVELS = 7;

  /** The number of the default family. */
  static final int MAIN = 0;

  /** The manifest of a store that is about to be created. */
  static final Manifest EMPTY =
      new Manifest(
          false,
          1,
          0,
          0,
          MAIN + 1,
          new TreeMap<>(
              Collections.singletonMap(
                  MAIN, empty(new FamilyEdit(MAIN, Family.DEFAULT_NAME, "", WriteTimes.NONE)))),
          new TreeMap<>());

  Manifest {
    families = Collections.unmodifiableSortedMap(new TreeMap<>(families));
    values = Collections.unmodifiableSortedMap(new TreeMap<>(values));
  }

  private static FamilyManifest empty(FamilyEdit about) {
    return new FamilyManifest(about, Collections.nCopies(LEVELS, List.of()));
  }

  /** An edit that changes nothing yet. */
  ManifestEdit edit() {
    return new ManifestEdit(
        created,
        nextNumber,
        horizonLsn,
        lastSequence,
        nextFamily,
        main().about(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of());
  }

  /** The edit that makes this manifest out of {@link #EMPTY}. */
  ManifestEdit snapshot() {
    ManifestEdit edit =
        edit().addingValues(values.values().stream().map(ValueFileUse::meta).toList());
    for (FamilyManifest family : families.values()) {
      edit = edit.withFamily(family.about());
      for (int level = 0; level < LEVELS; level++) {
        edit = edit.adding(level, family.level(level));
      }
    }
    return edit;
  }

  /**
   * That of a copy that has nothing of the log but what is in tables.
   *
   * @param beginLsn where its own log begins: at the horizon or behind that
   */
  Manifest withoutLog(long beginLsn) {
    SortedMap<Integer, FamilyManifest> cut = new TreeMap<>();
    for (FamilyManifest family : all()) {
      FamilyEdit about = family.about();
      cut.put(
          family.id(),
          new FamilyManifest(
              about.withWriteTimes(about.writeTimes().upTo(horizonLsn)), family.levels()));
    }
    return new Manifest(created, nextNumber, beginLsn, lastSequence, nextFamily, cut, values);
  }

  /**
   * Returns the manifest after an edit.
   *
   * @throws IllegalArgumentException if the edit does not fit this manifest
   */
  Manifest after(ManifestEdit edit) {
    require(created ? edit.created() : true, "creation is undone", 0);
    require(edit.nextNumber() >= nextNumber, "table numbers run backward", edit.nextNumber());
    require(edit.horizonLsn() >= horizonLsn, "the log runs backward", edit.horizonLsn());
    require(
        edit.lastSequence() >= lastSequence && edit.lastSequence() <= RecordKind.SEQUENCE_MAX,
        "sequence numbers run backward",
        edit.lastSequence());
    require(edit.nextFamily() >= nextFamily, "families run backward", edit.nextFamily());
    edit.added().forEach(added -> requireSound(added, edit));
    SortedMap<Integer, FamilyEdit> said = said(edit);
    SortedMap<Integer, FamilyManifest> next = new TreeMap<>();
    int found = 0;
    int placed = 0;
    for (FamilyEdit family : said.values()) {
      FamilyManifest before = families.get(family.id());
      List<ManifestEdit.Added> added =
          edit.added().stream().filter(table -> table.meta().family() == family.id()).toList();
      FamilyManifest after =
          (before == null ? empty(family) : before).after(family, edit.removed(), added);
      next.put(family.id(), after);
      placed += added.size();
      int tablesBefore = before == null ? 0 : before.tables().size();
      found += tablesBefore + added.size() - after.tables().size();
    }
    require(
        found == edit.removed().size(),
        "a table that is not there is removed",
        edit.removed().size() - found);
    require(placed == edit.added().size(), "a table is of no family", edit.added().size() - placed);
    Manifest after =
        new Manifest(
            edit.created(),
            edit.nextNumber(),
            edit.horizonLsn(),
            edit.lastSequence(),
            edit.nextFamily(),
            next,
            valuesAfter(edit, next));
    long tables = next.values().stream().mapToLong(family -> family.tables().size()).sum();
    require(after.tableNumbers().size() == tables, "a table is there twice", tables);
    if (next.values().stream().anyMatch(FamilyManifest::hasClonedTables)) {
      requireFiles(after);
    } else {
      require(
          after.fileNumbers().size() == tables + after.values().size(),
          "a table and a value file have the same number",
          tables);
    }
    return after;
  }

  /**
   * Checks that tables share files only as clones do: each of another family, with a number above
   * that of the file, and all saying the same of it.
   */
  private static void requireFiles(Manifest after) {
    Map<Long, TableMeta> files = new HashMap<>();
    Set<Long> others = new HashSet<>(after.values().keySet());
    for (FamilyManifest family : after.all()) {
      Set<Long> ofFamily = new HashSet<>();
      for (TableMeta meta : family.tables()) {
        require(
            ofFamily.add(meta.fileNumber())
                && (meta.isCloned()
                    ? meta.fileNumber() > 0
                        && meta.fileNumber() < meta.number()
                        && meta.fileFamily() >= MAIN
                        && meta.fileFamily() < meta.family()
                    : meta.fileFamily() == meta.family()),
            "a table is in a file that it cannot share",
            meta.number());
        TableMeta known = files.putIfAbsent(meta.fileNumber(), meta);
        require(
            known == null
                || (known.fileFamily() == meta.fileFamily()
                    && known.sizeBytes() == meta.sizeBytes()
                    && known.entries() == meta.entries()
                    && known.addedSequence() == meta.addedSequence()),
            "tables that share a file differ",
            meta.number());
        if (meta.isCloned()) {
          others.add(meta.number());
        }
      }
    }
    for (long number : files.keySet()) {
      require(!others.contains(number), "a table and another file have the same number", number);
    }
    long cloned =
        after.all().stream()
            .flatMap(family -> family.tables().stream())
            .filter(TableMeta::isCloned)
            .count();
    require(
        others.size() == after.values().size() + cloned,
        "a table and a value file have the same number",
        cloned);
  }

  /**
   * What is left of the value files: those that tables still refer to.
   *
   * @param next the families after the edit
   */
  private SortedMap<Long, ValueFileUse> valuesAfter(
      ManifestEdit edit, SortedMap<Integer, FamilyManifest> next) {
    SortedMap<Long, ValueFileUse> after = new TreeMap<>(values);
    for (ValueFileMeta meta : edit.values()) {
      require(
          meta.isSound()
              && meta.number() < edit.nextNumber()
              // The family may be gone, and clones of it not.
              && meta.family() < edit.nextFamily(),
          "a value file is not sound",
          meta.number());
      require(
          after.put(meta.number(), new ValueFileUse(meta, 0)) == null,
          "a value file is there twice",
          meta.number());
    }
    Map<Long, Long> changes = new HashMap<>();
    Set<Long> gone = new HashSet<>(edit.removed());
    for (FamilyManifest family : families.values()) {
      boolean isDropped = !next.containsKey(family.id());
      for (TableMeta meta : family.tables()) {
        if (isDropped || gone.contains(meta.number())) {
          count(meta, -1, after, changes);
        }
      }
    }
    edit.added().forEach(added -> count(added.meta(), 1, after, changes));
    changes.forEach(
        (number, change) ->
            after.computeIfPresent(
                number, (_, use) -> new ValueFileUse(use.meta(), use.liveBytes() + change)));
    for (ValueFileUse use : after.values()) {
      // Families that share a value file refer each to as much as they want of it.
      long familiesMax = Math.max(1, next.tailMap(use.meta().family()).size());
      require(
          use.liveBytes() >= 0
              && (use.liveBytes() <= use.meta().entryBytes()
                  || use.liveBytes() / familiesMax <= use.meta().entryBytes()),
          "tables refer to more than a value file has",
          use.meta().number());
    }
    after.values().removeIf(use -> use.liveBytes() == 0);
    return after;
  }

  private static void count(
      TableMeta table, int sign, Map<Long, ValueFileUse> files, Map<Long, Long> changes) {
    ValueReferences references = table.references();
    for (int i = 0; i < references.count(); i++) {
      ValueFileUse use = files.get(references.file(i));
      require(
          use != null
              // That of a clone may have been written before it was cloned.
              && use.meta().family() <= table.fileFamily()
              && references.bytes(i) <= use.meta().entryBytes(),
          "a table refers to what is in no value file",
          references.file(i));
      changes.merge(references.file(i), sign * references.bytes(i), Long::sum);
    }
  }

  /** What is to be said of each family after an edit. */
  private SortedMap<Integer, FamilyEdit> said(ManifestEdit edit) {
    SortedMap<Integer, FamilyEdit> said = new TreeMap<>();
    families.values().forEach(family -> said.put(family.id(), family.about()));
    for (int family : edit.dropped()) {
      require(
          family != MAIN && said.remove(family) != null,
          "a family that is not there is dropped",
          family);
    }
    said.put(MAIN, edit.main());
    Set<Integer> once = new HashSet<>();
    for (FamilyEdit family : edit.families()) {
      int id = family.id();
      boolean isNew = !families.containsKey(id);
      require(once.add(id) && id != MAIN, "a family is there twice", id);
      require(isNew || said.containsKey(id), "a family that is dropped is changed", id);
      // The first edit of a file says everything; after that a number is new only once.
      require(
          id > MAIN && id < edit.nextFamily() && (!isNew || id >= nextFamily),
          "the number of a family is used again",
          id);
      require(
          family.isSound()
              && said.values().stream()
                  .noneMatch(other -> other.id() != id && other.name().equals(family.name())),
          "the name of a family is taken, or what is said of it is not sound",
          id);
      said.put(id, family);
    }
    return said;
  }

  private static void requireSound(ManifestEdit.Added added, ManifestEdit edit) {
    TableMeta meta = added.meta();
    require(added.level() >= 0 && added.level() < LEVELS, "there is no such level", added.level());
    require(
        meta.number() > 0 && meta.number() < edit.nextNumber(),
        "a table's number is not below the next one",
        meta.number());
    require(
        meta.sizeBytes() > 0 && meta.lastSequence() <= edit.lastSequence(),
        "a table's size or sequence is out of range",
        meta.number());
    require(
        Keys.compare(meta.firstKey(), meta.lastKey()) <= 0,
        "a table's keys are out of order",
        meta.number());
  }

  static void require(boolean sound, String defect, long value) {
    if (!sound) {
      throw new IllegalArgumentException(defect + ": value=" + value);
    }
  }

  /** The default family. */
  FamilyManifest main() {
    return families.get(MAIN);
  }

  /** A family by its number, or null. */
  FamilyManifest family(int id) {
    return families.get(id);
  }

  Collection<FamilyManifest> all() {
    return families.values();
  }

  /** The files of all tables, each once, and the value files. */
  List<FileMeta> files() {
    List<FileMeta> files = new ArrayList<>();
    Set<Long> once = new HashSet<>();
    for (FamilyManifest family : all()) {
      for (TableMeta meta : family.tables()) {
        if (once.add(meta.fileNumber())) {
          files.add(new FileMeta(meta.fileNumber(), meta.sizeBytes(), false));
        }
      }
    }
    for (ValueFileUse use : values.values()) {
      files.add(new FileMeta(use.meta().number(), use.meta().sizeBytes(), true));
    }
    return files;
  }

  /** The numbers that the files of tables, and value files, are named by. */
  Set<Long> fileNumbers() {
    Set<Long> numbers = tableFileNumbers();
    numbers.addAll(values.keySet());
    return numbers;
  }

  /** Those of tables alone. */
  Set<Long> tableFileNumbers() {
    Set<Long> numbers = new HashSet<>();
    all().forEach(family -> family.tables().forEach(meta -> numbers.add(meta.fileNumber())));
    return numbers;
  }

  /** Whether a table is in the file with a number. */
  boolean hasTableIn(long fileNumber) {
    return all().stream()
        .flatMap(family -> family.levels().stream())
        .flatMap(List::stream)
        .anyMatch(meta -> meta.fileNumber() == fileNumber);
  }

  /** Numbers of tables: those of their files, but where families were cloned. */
  Set<Long> tableNumbers() {
    Set<Long> numbers = new HashSet<>();
    all().forEach(family -> family.tables().forEach(meta -> numbers.add(meta.number())));
    return numbers;
  }
}
