package io.ewok.gds.cli.trace;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;

/** {@link TraceFormat#CSV}. Empty lines are skipped. */
final class BlockRecords {
  private final String name;
  private final Iterator<CsvRecord> records;

  private BlockRecords(InputStream in, String name) {
    this.name = name;
    // The stream is left to who opened it, so the reader is not closed.
    this.records =
        CsvReader.builder()
            .allowExtraFields(true)
            .allowMissingFields(true)
            .ofCsvRecord(new InputStreamReader(in, StandardCharsets.ISO_8859_1))
            .iterator();
  }

  static void read(InputStream in, String name, RequestConsumer consumer) throws IOException {
    new BlockRecords(in, name).read(consumer);
  }

  private void read(RequestConsumer consumer) throws IOException {
    CsvRecord header = next();
    if (header == null) {
      return;
    }
    int lbn = column(header, "lbn");
    int size = column(header, "size");
    for (CsvRecord line = next(); line != null; line = next()) {
      long first = number(line, lbn, "lbn");
      long count = Math.ceilDiv(number(line, size, "size"), TraceFormat.BLOCK_BYTES);
      if (first + count < 0) {
        throw malformed(line, "the request ends beyond the last block there can be");
      }
      consumer.request(first, count);
    }
  }

  private CsvRecord next() throws IOException {
    try {
      return records.hasNext() ? records.next() : null;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (CsvParseException e) {
      throw new TraceFormatException(name + ": not a readable record: " + e.getMessage(), e);
    }
  }

  private int column(CsvRecord header, String column) throws TraceFormatException {
    List<String> names = header.getFields().stream().map(String::strip).toList();
    int index = names.indexOf(column);
    if (index < 0) {
      throw malformed(header, "the first line is no header with lbn and size");
    }
    return index;
  }

  private long number(CsvRecord line, int index, String column) throws TraceFormatException {
    long number =
        index < line.getFieldCount() ? Numbers.parseOrMinusOne(line.getField(index).strip()) : -1;
    if (number < 0) {
      throw malformed(line, "no number in column " + column);
    }
    return number;
  }

  private TraceFormatException malformed(CsvRecord line, String what) {
    return TextLines.malformed(
        name, what, line.getStartingLineNumber(), String.join(",", line.getFields()));
  }
}
