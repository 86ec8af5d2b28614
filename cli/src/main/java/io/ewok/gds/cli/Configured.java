package io.ewok.gds.cli;

/**
 * A value that a setting was given.
 *
 * @param name of the setting
 * @param value its text
 * @param origin where it was given: an option, or a file and a line of it
 */
record Configured(String name, String value, String origin) {
  private static final String OPTION = "--";

  /** Returns where to look for it before a message, empty for what was just typed. */
  String place() {
    return origin.startsWith(OPTION) ? "" : origin + ": ";
  }
}
