package io.ewok.gds.cli;

/**
 * Standard output cannot be written any more: the command ends quietly, as one that dies of
 * SIGPIPE.
 */
final class ClosedPipeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ClosedPipeException(Throwable cause) {
    super("standard output is closed", cause);
  }
}
