package io.ewok.gds.buffers;

import java.nio.file.Path;

/**
 * A page stayed latched by others for longer than the options allow to wait. Either the thread
 * itself has it fixed already, or threads wait for each other in a circle. Nothing is fixed.
 */
public final class LatchTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LatchTimeoutException(Path path, long key) {
    super(
        "a latch was not given up in time, perhaps this thread holds it: path=%s page=%d"
            .formatted(path, key));
  }
}
