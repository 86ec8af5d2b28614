package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.SortedIngest;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.IOException;
import java.util.Collection;
import java.util.Objects;

/**
 * Brings records into the families that an input names, or that the user does: in batches, or as
 * sorted tables.
 *
 * <p>Confined to one thread. Closing without {@link #finish} drops what was not written yet:
 * sorted, all of the family at hand.
 */
final class FamilyLoad implements AutoCloseable {
  private final Store store;
  private final StoreOptions options;
  private final FamilyArguments families;
  private final Durability durability;
  private final int threads;
  private final boolean sorted;

  /** The one at hand, as the input calls it. */
  private String name;

  private boolean isBegun;
  private RecordWriter writer;
  private SortedIngest ingest;
  private long ingested;
  private long written;

  /**
   * Begins.
   *
   * @param sorted whether the keys of each family come in ascending order
   */
  FamilyLoad(
      Store store,
      StoreOptions options,
      FamilyArguments families,
      Durability durability,
      int threads,
      boolean sorted) {
    this.store = store;
    this.options = options;
    this.families = families;
    this.durability = durability;
    this.threads = threads;
    this.sorted = sorted;
  }

  /** Adds a record to a family, or to the one that the user says if the input says none. */
  void add(String familyOrNull, Entry entry) throws IOException {
    if (!isBegun || !Objects.equals(name, familyOrNull)) {
      begin(familyOrNull);
    }
    if (ingest == null) {
      writer.add(entry);
      return;
    }
    try {
      ingest.put(entry.key(), entry.value());
      ingested++;
    } catch (IllegalArgumentException e) {
      throw CommandFailure.failed(
          "with --sorted, %s; key=%s".formatted(e.getMessage(), ByteText.show(entry.key())), e);
    }
  }

  private void begin(String familyOrNull) throws IOException {
    if (isBegun && families.isNamed()) {
      throw CommandFailure.failed(
          "the input has several families, without --family they keep their names: families=%s,%s"
              .formatted(name, familyOrNull));
    }
    end();
    Family family =
        familyOrNull == null || families.isNamed()
            ? families.orCreate(store)
            : FamilyArguments.orCreate(store, familyOrNull);
    if (sorted) {
      ingest = family.ingest();
    } else {
      writer = new RecordWriter(store, family, options, durability, threads);
    }
    name = familyOrNull;
    isBegun = true;
  }

  private void end() throws IOException {
    if (writer != null) {
      writer.finish();
      close();
    } else if (ingest != null) {
      long unused = ingest.commit();
      written += ingested;
      ingested = 0;
      close();
    }
  }

  /**
   * Writes all that was added.
   *
   * @param names families that are to be there even if they have nothing
   */
  void finish(Collection<String> names) throws IOException {
    end();
    for (String each : names) {
      if (!families.isNamed()) {
        Family unused = FamilyArguments.orCreate(store, each);
      }
    }
  }

  /** Records that the store has. */
  long writtenCount() {
    return written + (writer == null ? 0 : writer.writtenCount());
  }

  @Override
  public void close() throws IOException {
    if (writer != null) {
      writer.close();
      written += writer.writtenCount();
      writer = null;
    }
    if (ingest != null) {
      ingest.close();
      ingest = null;
    }
  }
}
