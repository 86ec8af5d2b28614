package io.ewok.gds.cli;

import java.text.MessageFormat;
import java.util.ResourceBundle;

/**
 * Where the layers below log to while the command runs: warnings and errors, a line each, on
 * standard error, with stack traces only under {@code --debug}. Found by the Java runtime as a
 * service; without it the runtime would print traces of every full disk.
 *
 * <p>Any thread.
 */
public final class ConsoleLogFinder extends System.LoggerFinder {
  private static volatile boolean traces;

  /** Made by the runtime. */
  public ConsoleLogFinder() {}

  /** Shows or hides stack traces. */
  static void showTraces(boolean show) {
    traces = show;
  }

  @Override
  public System.Logger getLogger(String name, Module module) {
    return new ConsoleLogger(name);
  }

  private record ConsoleLogger(String name) implements System.Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      return level.getSeverity() >= Level.WARNING.getSeverity() && level != Level.OFF;
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
      if (!isLoggable(level)) {
        return;
      }
      StringBuilder line = new StringBuilder("gds: ").append(message);
      if (thrown != null) {
        line.append(": ").append(Failures.message(thrown));
      }
      System.err.println(line);
      if (thrown != null && traces) {
        thrown.printStackTrace();
      }
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... arguments) {
      boolean plain = arguments == null || arguments.length == 0;
      log(
          level,
          bundle,
          plain ? format : MessageFormat.format(format, arguments),
          (Throwable) null);
    }
  }
}
