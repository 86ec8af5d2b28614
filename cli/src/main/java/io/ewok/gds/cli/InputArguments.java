package io.ewok.gds.cli;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Option;

/** How an input file is cut into keys and values; shared by {@code load} and {@code demo}. */
final class InputArguments {
  private static final int[] BYTE_ORDER_MARK = {0xEF, 0xBB, 0xBF};

  @Option(
      names = "--key-column",
      paramLabel = "N|NAME",
      description = {
        "Column of the key: a number from 1, or a name in the header. Default: 1.",
        "Of plain lines the whole line is the key and its number the value."
      })
  private String keyColumn;

  @Option(
      names = "--value-column",
      paramLabel = "N|NAME",
      description =
          "Column of the value. Default: all but the key; several are kept as one record.")
  private String valueColumn;

  @Option(
      names = "--delimiter",
      paramLabel = "CHAR",
      description =
          "One character between columns, or 'tab', or 'none' for plain lines. Default: by the file"
              + " name: a comma for .csv, a tab for .tsv, else plain lines.")
  private String delimiter;

  @Option(
      names = "--header",
      description = "The first record is a header. Implied when a column is given by name.")
  private boolean header;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = {
        "What gds dump --format has written: export, tsv or jsonl (key and value in JSON objects).",
        "Implied for .jsonl."
      })
  private RecordFormat format;

  /** Whether any of the options was given. */
  boolean isGiven() {
    return hasColumns() || format != null;
  }

  private boolean hasColumns() {
    return keyColumn != null || valueColumn != null || delimiter != null || header;
  }

  /** Opens a file; the caller closes the reader. */
  EntryReader open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw CommandFailure.failed("the input is a directory, not a file: path=" + file);
    }
    InputStream in = Files.newInputStream(file);
    try {
      return open(file.toString(), in);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  /** Reads a stream; the reader owns it. */
  EntryReader open(String name, InputStream in) throws IOException {
    InputStream buffered = new BufferedInputStream(in, 1 << 16);
    RecordFormat known = format == null && isJson(name) ? RecordFormat.JSONL : format;
    if (known != null) {
      if (hasColumns()) {
        throw CommandFailure.usage("a format has no columns to choose: --format=" + known);
      }
      return switch (known) {
        case EXPORT -> new ExportEntries(name, buffered);
        case TSV -> new TsvReader(name, buffered);
        case JSONL -> new JsonLinesReader(name, buffered);
      };
    }
    InputStream unmarked = withoutMark(buffered);
    char separator = separator(name);
    if (separator == 0) {
      if (keyColumn != null || valueColumn != null || header) {
        throw CommandFailure.usage(
            "plain lines have no columns; say what separates them with --delimiter: input=" + name);
      }
      return new LineReader(unmarked);
    }
    ColumnName key = ColumnName.parse("--key-column", keyColumn == null ? "1" : keyColumn);
    ColumnName value = valueColumn == null ? null : ColumnName.parse("--value-column", valueColumn);
    return new DelimitedReader(name, unmarked, separator, header, key, value);
  }

  private boolean isJson(String name) {
    return !hasColumns() && name.toLowerCase(Locale.ROOT).endsWith(".jsonl");
  }

  /** What separates columns, or 0 for plain lines. */
  private char separator(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (delimiter == null) {
      return lower.endsWith(".csv") ? ',' : lower.endsWith(".tsv") ? '\t' : 0;
    }
    return switch (delimiter) {
      case "tab", "\\t" -> '\t';
      case "none" -> 0;
      default -> {
        char only = delimiter.length() == 1 ? delimiter.charAt(0) : 0;
        if ((only < ' ' && only != '\t') || only > '~' || only == '"') {
          throw CommandFailure.usage(
              "a delimiter is one ASCII character that is neither a quote nor a line's end, or"
                  + " 'tab', or 'none': --delimiter="
                  + delimiter);
        }
        yield only;
      }
    };
  }

  /**
   * Some editors put the UTF-8 byte order mark before the first key, where it would be a part of
   * it.
   */
  private static InputStream withoutMark(InputStream in) throws IOException {
    in.mark(BYTE_ORDER_MARK.length);
    for (int expected : BYTE_ORDER_MARK) {
      if (in.read() != expected) {
        in.reset();
        return in;
      }
    }
    return in;
  }
}
