package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SourceNotes;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A scan that takes notes. The cursor that it moves is made with it, so that both see one version.
 *
 * <p>Threads: confined to one.
 */
final class ScanExplainer {
  private final ScanNotes merged = new ScanNotes();
  private final List<Place> places = new ArrayList<>();

  /** A memtable or table; without notes if it was left out. */
  private record Place(String name, boolean isTable, SourceNotes notesOrNull) {}

  /** What the merge of the sources takes notes in. */
  ScanNotes merged() {
    return merged;
  }

  /** Has the sources of a cursor take notes. They are all that the cursor wants of the version. */
  void begin(Version version, FamilyState family, RecordSource[] sources) {
    Map<Table, SourceNotes> notesOfTables = new HashMap<>();
    for (RecordSource source : sources) {
      switch (source) {
        case MemtableSource memtable -> {
          SourceNotes notes = new SourceNotes();
          memtable.takeNotes(notes);
          String name = memtable.memtable() == version.active() ? "memtable" : "frozen memtable";
          places.add(new Place(name, false, notes));
        }
        case RunSource run -> {
          List<SourceNotes> notes = run.tables().stream().map(_ -> new SourceNotes()).toList();
          run.takeNotes(notes);
          for (int i = 0; i < notes.size(); i++) {
            notesOfTables.put(run.tables().get(i), notes.get(i));
          }
        }
        default -> throw new AssertionError(source);
      }
    }
    for (int level = 0; level < Manifest.LEVELS; level++) {
      for (Table table : version.levels(family).level(level)) {
        String name = "level %d, %s".formatted(level, table.path().getFileName());
        places.add(new Place(name, true, notesOfTables.get(table)));
      }
    }
  }

  /** Moves the cursor through its records, or so many of them. */
  ScanExplanation run(StoreCursor cursor, long recordsMax) throws IOException {
    long from = System.nanoTime();
    long returned = 0;
    boolean complete = false;
    if (recordsMax > 0) {
      cursor.first();
      complete = !cursor.isValid();
      while (cursor.isValid()) {
        returned++;
        if (returned == recordsMax) {
          break;
        }
        cursor.next();
        complete = !cursor.isValid();
      }
    }
    long nanos = System.nanoTime() - from;
    List<ScanExplanation.Source> sources = places.stream().map(ScanExplainer::source).toList();
    long hidden = sources.stream().mapToLong(ScanExplanation.Source::hidden).sum() + merged.hidden;
    return new ScanExplanation(
        returned,
        hidden,
        merged.deleted,
        merged.rangeDeleted,
        merged.filtered,
        complete,
        sources,
        nanos);
  }

  private static ScanExplanation.Source source(Place place) {
    SourceNotes notes = place.notesOrNull;
    if (notes == null) {
      return new ScanExplanation.Source(
          place.name, ScanExplanation.Outcome.OUT_OF_BOUNDS, 0, 0, 0, 0, 0);
    }
    ScanExplanation.Outcome outcome = ScanExplanation.Outcome.READ;
    if (notes.filteredOut) {
      outcome = ScanExplanation.Outcome.FILTERED;
    } else if (place.isTable && notes.indexBlocks == 0) {
      outcome = ScanExplanation.Outcome.NOT_REACHED;
    }
    return new ScanExplanation.Source(
        place.name,
        outcome,
        notes.filterBlocks,
        notes.indexBlocks,
        notes.dataBlocks,
        notes.blocksRead,
        notes.hidden);
  }
}
