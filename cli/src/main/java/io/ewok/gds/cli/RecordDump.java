package io.ewok.gds.cli;

import io.ewok.gds.lsm.ExportWriter;
import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.StoreCursor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Prints what readers of a store see, for {@code gds load}. Confined to one thread. */
final class RecordDump {
  private final Streams streams;
  private final Map<String, ReadView> views = new LinkedHashMap<>();

  /** In the tables, older versions included. */
  private final long records;

  private Progress progress;

  /** A dump of all families, or of the one that the user names. */
  RecordDump(Streams streams, ReadableStore store, FamilyArguments family) {
    this.streams = streams;
    if (family.isNamed()) {
      ReadView unused = family.of(store); // or it is told that there is no such
    }
    store
        .views()
        .forEach(
            (name, view) -> {
              if (family.isMeant(name)) {
                views.put(name, view);
              }
            });
    this.records =
        store.tables().stream()
            .filter(each -> views.containsKey(each.name()))
            .mapToLong(each -> TableSums.of(List.of(each)).entries())
            .sum();
  }

  void print(RecordFormat format) throws IOException {
    // How long a stream of all families becomes is not known before.
    try (Progress started =
        format == RecordFormat.EXPORT
            ? Progress.ofOutput(streams, "dumping", 0, Units::bytes)
            : Progress.ofOutput(streams, "dumping", records, Units::count)) {
      progress = started;
      switch (format) {
        case EXPORT -> export();
        case TSV -> tsv();
        case JSONL -> jsonLines();
      }
    }
  }

  private void export() throws IOException {
    ExportWriter export = new ExportWriter(new Output());
    for (Map.Entry<String, ReadView> view : views.entrySet()) {
      long unused = export.add(view.getKey(), view.getValue());
    }
    long unused = export.finish();
  }

  private void tsv() throws IOException {
    if (views.size() > 1) {
      throw CommandFailure.usage(
          "tsv has the records of one family, name it with --family: families=" + views.keySet());
    }
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (ReadView view : views.values()) {
      forEach(
          view,
          (key, value) -> {
            line.reset();
            TsvText.escape(key, line);
            line.write('\t');
            TsvText.escape(value, line);
            line.write('\n');
            streams.out(line.toByteArray());
          });
    }
  }

  private void jsonLines() throws IOException {
    JsonOutput output = new JsonOutput(streams);
    for (Map.Entry<String, ReadView> view : views.entrySet()) {
      forEach(
          view.getValue(),
          (key, value) ->
              output.line(
                  line ->
                      line.text("family", view.getKey()).bytes("key", key).bytes("value", value)));
    }
  }

  /** Takes records. */
  @FunctionalInterface
  private interface Taker {
    void take(byte[] key, byte[] value);
  }

  private void forEach(ReadView view, Taker taker) throws IOException {
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        taker.take(
            cursor.key().toArray(ValueLayout.JAVA_BYTE),
            cursor.value().toArray(ValueLayout.JAVA_BYTE));
        progress.add(1);
      }
    }
  }

  /** Standard output, as the streams see it. */
  private final class Output extends OutputStream {
    @Override
    public void write(int one) {
      streams.out(one);
      progress.add(1);
    }

    @Override
    public void write(byte[] bytes, int offset, int lengthBytes) {
      streams.out(bytes, offset, lengthBytes);
      progress.add(lengthBytes);
    }
  }
}
