package io.ewok.gds.cli;

/** What the process ends with. */
final class ExitStatus {
  static final int OK = 0;

  /** The command was understood and could not be done, or what was asked for is not there. */
  static final int FAILED = 1;

  /** The command line is wrong; nothing was done. */
  static final int USAGE = 2;

  /**
   * Ctrl-C: the Java runtime ends the process with it, and a store is as after a crash, which is
   * good.
   */
  static final int INTERRUPTED = 130;

  /** The reader of our output has gone: what a shell reports for a process that died of SIGPIPE. */
  static final int CLOSED_PIPE = 141;

  private ExitStatus() {}
}
