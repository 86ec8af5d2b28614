package io.ewok.gds.cli;

/**
 * What is wrong with a configuration.
 *
 * @param atOrNull the value that is wrong; null if only several together are
 * @param message what is wrong with it; ends in the setting, an equals sign and its value
 */
record ConfigMistake(Configured atOrNull, String message) {
  /** Returns it on one line, with its place. */
  @Override
  public String toString() {
    return (atOrNull == null ? "" : atOrNull.place()) + message;
  }
}
