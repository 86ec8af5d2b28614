package io.ewok.gds.cli;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A column as the user names it: a number from 1, or a name that stands in the header.
 *
 * @param number from 1, or 0 when the column is named
 * @param name what the header must hold, or empty when the column is numbered
 */
record ColumnName(int number, String name) {
  private static final int COLUMNS_MAX = 16_384; // What the CSV library reads in one record.

  static ColumnName parse(String option, String text) {
    if (text.isEmpty()) {
      throw CommandFailure.usage(
          option + " names no column: give a number from 1 or a header name");
    }
    if (!text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return new ColumnName(0, text);
    }
    int number = text.length() > 5 ? Integer.MAX_VALUE : Integer.parseInt(text);
    if (number < 1 || number > COLUMNS_MAX) {
      throw CommandFailure.usage(
          "a column number is 1 to " + COLUMNS_MAX + ": " + option + "=" + text);
    }
    return new ColumnName(number, "");
  }

  boolean isNamed() {
    return number == 0;
  }

  /**
   * The index of this column, from 0.
   *
   * @param header the names in the file's first record, in ISO 8859-1 decoding
   */
  int indexIn(String inputName, List<String> header) {
    if (!isNamed()) {
      return number - 1;
    }
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int index = header.indexOf(new String(bytes, StandardCharsets.ISO_8859_1));
    if (index < 0) {
      String columns =
          new String(
              String.join(", ", header).getBytes(StandardCharsets.ISO_8859_1),
              StandardCharsets.UTF_8);
      throw CommandFailure.failed(
          inputName + ": no column has this name: column=" + name + " columns=" + columns);
    }
    return index;
  }
}
