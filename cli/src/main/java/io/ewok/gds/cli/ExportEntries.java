package io.ewok.gds.cli;

import io.ewok.gds.lsm.ExportReader;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collection;

/** The records of a stream of {@link RecordFormat#EXPORT}. */
final class ExportEntries implements EntryReader {
  private final InputStream in;
  private final ExportReader records;

  ExportEntries(String inputName, InputStream in) throws IOException {
    this.in = in;
    this.records = new ExportReader(in, Path.of(inputName));
  }

  @Override
  public Entry next() throws IOException {
    return records.next()
        ? new Entry(
            records.key().toArray(ValueLayout.JAVA_BYTE),
            records.value().toArray(ValueLayout.JAVA_BYTE))
        : null;
  }

  @Override
  public String familyOrNull() {
    return records.family();
  }

  @Override
  public Collection<String> families() {
    return records.families();
  }

  @Override
  public long consumedBytes() {
    return records.consumedBytes();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
