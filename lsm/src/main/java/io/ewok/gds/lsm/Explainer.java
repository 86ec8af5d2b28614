package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLookup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A get that takes notes.
 *
 * <p>Threads: confined to one.
 */
final class Explainer {
  private final ReadContext context;
  private final TableLookup lookup;
  private final long sequence;
  private final List<Explanation.Step> steps = new ArrayList<>();
  private final long startNanos = System.nanoTime();
  private boolean ended;

  Explainer(ReadContext context, TableLookup lookup, long sequence) {
    this.context = context;
    this.lookup = lookup;
    this.sequence = sequence;
  }

  /** One place to look into. */
  private interface Place {
    /** FOUND says that the key is there, as whatever kind of record. */
    Explanation.Outcome find() throws IOException;
  }

  Explanation run(Version version) throws IOException {
    look("memtable", version.active());
    if (version.frozen() != null) {
      look("frozen memtable", version.frozen());
    }
    for (int level = 0; level < version.levels().size(); level++) {
      for (Table table : version.level(level)) {
        look(level, table);
      }
    }
    boolean found = ended && context.isValue();
    return new Explanation(found, steps, System.nanoTime() - startNanos);
  }

  private void look(String name, Memtable memtable) throws IOException {
    look(
        name,
        () ->
            context.findIn(memtable, sequence)
                ? Explanation.Outcome.FOUND
                : Explanation.Outcome.ABSENT);
  }

  private void look(int level, Table table) throws IOException {
    String name = "level %d, %s".formatted(level, table.path().getFileName());
    if (table.meta().mayContain(context.key)) {
      look(name, () -> find(table));
    } else {
      look(name, () -> Explanation.Outcome.OUT_OF_RANGE);
    }
  }

  private Explanation.Outcome find(Table table) throws IOException {
    if (context.findIn(table, RecordKind.searchStamp(sequence))) {
      return Explanation.Outcome.FOUND;
    }
    return lookup.outcome() == TableLookup.Outcome.FILTERED
        ? Explanation.Outcome.FILTERED
        : Explanation.Outcome.ABSENT;
  }

  private void look(String name, Place place) throws IOException {
    if (ended) {
      return;
    }
    long from = System.nanoTime();
    long missesBefore = lookup.misses();
    Explanation.Outcome outcome = place.find();
    ended = outcome == Explanation.Outcome.FOUND;
    if (ended && !context.isValue()) {
      outcome = Explanation.Outcome.DELETED;
    }
    steps.add(
        new Explanation.Step(
            name, outcome, lookup.misses() - missesBefore, System.nanoTime() - from));
  }
}
