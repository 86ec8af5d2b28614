package io.ewok.gds.cli;

/**
 * A command could not do what was asked, for a reason the user can act on. The message is printed
 * as it is, on one line; no stack trace is shown without {@code --debug}.
 */
final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitStatus;

  private CommandFailure(int exitStatus, String message, Throwable cause) {
    super(message, cause);
    this.exitStatus = exitStatus;
  }

  /** The command was right and failed. */
  static CommandFailure failed(String message) {
    return new CommandFailure(ExitStatus.FAILED, message, null);
  }

  /** The command was right and failed for a reason that has its own stack trace. */
  static CommandFailure failed(String message, Throwable cause) {
    return new CommandFailure(ExitStatus.FAILED, message, cause);
  }

  /** The command line does not make sense. */
  static CommandFailure usage(String message) {
    return new CommandFailure(ExitStatus.USAGE, message, null);
  }

  int exitStatus() {
    return exitStatus;
  }
}
