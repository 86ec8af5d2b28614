package io.ewok.gds.cli;

/**
 * How records stand in a file that {@code dump} writes and {@code load} reads, any bytes of them.
 */
enum RecordFormat {
  /** The checked stream of {@link io.ewok.gds.lsm.ExportWriter}, of all families. */
  EXPORT,

  /**
   * Key, tab, value, newline, of one family: tabs, newlines, carriage returns and backslashes in
   * them as {@code \t}, {@code \n}, {@code \r} and {@code \\}, all other bytes as they are.
   */
  TSV,

  /** A JSON object a line, see {@link JsonOutput}, with the family beside key and value. */
  JSONL
}
