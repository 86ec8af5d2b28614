package io.ewok.gds.cli.trace;

import java.io.IOException;

/** A trace is not of the format it was said to be. The message says where, and what is wrong. */
public final class TraceFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  TraceFormatException(String message) {
    super(message);
  }

  TraceFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
