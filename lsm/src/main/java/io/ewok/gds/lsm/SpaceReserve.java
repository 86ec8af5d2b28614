package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;

/**
 * Room that a store keeps on the device for when there is no other: a file that nobody writes. It
 * is given up when something cannot be written for want of room, and when a store is opened, which
 * needs a little; then deletes are taken, flushed and merged, so that a store that has filled a
 * device can make room there itself. New values are not taken until the reserve is whole again.
 *
 * <p>Nothing depends on the file: after a power cut it may be there or not.
 *
 * <p>Threads: confined to who opens the store, and then to its background thread; but {@link
 * #isGivenUp} for any.
 */
final class SpaceReserve {
  private static final Logger LOGGER = System.getLogger(SpaceReserve.class.getName());

  private final IoEngine engine;
  private final Path file;
  private final long bytes;

  /** Written by the thread that this is confined to. */
  private volatile boolean isTaken;

  /**
   * One that has been given up.
   *
   * @param bytes how large it is to be; 0 for none
   */
  SpaceReserve(IoEngine engine, Path file, long bytes) {
    this.engine = engine;
    this.file = file;
    this.bytes = bytes;
  }

  /** Whether there is to be a reserve, and is none: no values are taken then. */
  boolean isGivenUp() {
    return bytes > 0 && !isTaken;
  }

  /** What somebody is told whose values are not taken. */
  OutOfSpaceException refusal() {
    return new OutOfSpaceException(
        "no space is left on the device but for the store's reserve, deletes alone are taken:"
            + " reserveBytes="
            + bytes,
        file.getParent(),
        null);
  }

  /** Gives up what an earlier opening has left. */
  void open() throws IOException {
    if (engine.exists(file)) {
      engine.delete(file);
    }
  }

  /** Returns whether there was one to be given up. */
  boolean giveUp() {
    if (!isTaken) {
      return false;
    }
    isTaken = false;
    LOGGER.log(
        Logger.Level.WARNING,
        "the device is full, the reserve is given up: reserveBytes=%d path=%s"
            .formatted(bytes, file));
    delete();
    return true;
  }

  /** Takes it, if there is none and there is room. Returns whether there is one now. */
  boolean tryTake() {
    if (!isGivenUp()) {
      return true;
    }
    try {
      try (IoFile reserve = engine.open(file, OpenMode.CREATE_NEW)) {
        reserve.preallocate(0, bytes);
      }
      isTaken = true;
    } catch (IOException e) {
      LOGGER.log(Logger.Level.DEBUG, "no room for the reserve: path=" + file, e);
      delete();
    }
    return isTaken;
  }

  private void delete() {
    try {
      open();
    } catch (IOException e) {
      LOGGER.log(Logger.Level.WARNING, "the reserve cannot be deleted: path=" + file, e);
    }
  }
}
