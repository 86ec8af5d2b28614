package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test in which an allocator is closed with something in it, unless the test has expected
 * that and {@link #take}n the warning. Needs to be a field with {@code @RegisterExtension}.
 */
final class LeakCheck extends Handler implements BeforeEachCallback, AfterEachCallback {
  private static final Logger LOGGER = Logger.getLogger(LeakCheck.class.getPackageName());

  private final List<String> leaks = new ArrayList<>();

  /** Returns the warnings since the last call. */
  synchronized List<String> take() {
    List<String> taken = List.copyOf(leaks);
    leaks.clear();
    return taken;
  }

  @Override
  public synchronized void publish(LogRecord logged) {
    if (logged.getMessage().contains(" not freed in ")) {
      leaks.add(logged.getMessage());
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    LOGGER.addHandler(this);
    LOGGER.setUseParentHandlers(false);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    LOGGER.removeHandler(this);
    LOGGER.setUseParentHandlers(true);
    assertEquals(List.of(), take());
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
