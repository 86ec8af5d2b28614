package io.ewok.gds.cli;

import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Separated columns (CSV, TSV), quoted as RFC 4180 says. One column is the key; the value is
 * another column, or, when none was chosen, all the others: a single one as it is, several as one
 * record with the same separator.
 *
 * <p>The first record is a header, and no entry, when a column is named or the user said so. Empty
 * lines are skipped. As in {@link LineReader}, bytes pass through unchanged, whatever encoding they
 * are in.
 */
final class DelimitedReader implements EntryReader {
  private final String inputName;
  private final CountingInput counter;
  private final char separator;
  private final CloseableIterator<CsvRecord> records;
  private final int keyIndex;

  /** -1 for all columns but the key. */
  private final int valueIndex;

  private CsvRecord firstEntry;

  /**
   * Reads the header, if there is one.
   *
   * @param valueColumn null for all columns but the key
   */
  DelimitedReader(
      String inputName,
      InputStream in,
      char separator,
      boolean header,
      ColumnName keyColumn,
      ColumnName valueColumn)
      throws IOException {
    this.inputName = inputName;
    this.separator = separator;
    this.counter = new CountingInput(in);
    this.records =
        CsvReader.builder()
            .fieldSeparator(separator)
            .allowExtraFields(true)
            .allowMissingFields(true)
            .ofCsvRecord(new InputStreamReader(counter, StandardCharsets.ISO_8859_1))
            .iterator();
    boolean named = keyColumn.isNamed() || (valueColumn != null && valueColumn.isNamed());
    CsvRecord first = read();
    List<String> names = first == null ? List.of() : first.getFields();
    if (!named && !header) {
      this.firstEntry = first;
    }
    this.keyIndex = keyColumn.indexIn(inputName, names);
    this.valueIndex = valueColumn == null ? -1 : valueColumn.indexIn(inputName, names);
  }

  @Override
  public Entry next() throws IOException {
    CsvRecord csv = firstEntry == null ? read() : firstEntry;
    firstEntry = null;
    if (csv == null) {
      return null;
    }
    List<String> fields = csv.getFields();
    int needed = Math.max(keyIndex, valueIndex) + 1;
    if (fields.size() < needed) {
      throw CommandFailure.failed(
          "%s: a record has too few columns: line=%d columns=%d needed=%d"
              .formatted(inputName, csv.getStartingLineNumber(), fields.size(), needed));
    }
    String value = valueIndex >= 0 ? fields.get(valueIndex) : others(fields);
    return new Entry(bytes(fields.get(keyIndex)), bytes(value));
  }

  @Override
  public long consumedBytes() {
    return counter.count();
  }

  @Override
  public void close() throws IOException {
    records.close();
  }

  private CsvRecord read() throws IOException {
    try {
      return records.hasNext() ? records.next() : null;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (CsvParseException e) {
      throw CommandFailure.failed(inputName + ": not a readable record: " + causes(e), e);
    }
  }

  private String others(List<String> fields) throws IOException {
    List<String> others = new ArrayList<>(fields);
    others.remove(keyIndex);
    if (others.size() < 2) {
      return others.isEmpty() ? "" : others.getFirst();
    }
    StringWriter text = new StringWriter();
    try (CsvWriter writer =
        CsvWriter.builder().fieldSeparator(separator).lineDelimiter(LineDelimiter.LF).build(text)) {
      writer.writeRecord(others);
    }
    return text.getBuffer().substring(0, text.getBuffer().length() - 1); // Without the line's end.
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String causes(Throwable thrown) {
    Throwable cause = thrown.getCause();
    return cause == null || cause.getMessage() == null
        ? thrown.getMessage()
        : thrown.getMessage() + ": " + cause.getMessage();
  }
}
