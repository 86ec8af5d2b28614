package io.ewok.gds.pagestore;

import java.util.Locale;

/**
 * What a transfer is for. Limits and shares ({@link ThrottleOptions}) are given by class, so that
 * work that can wait does not take the device from work that somebody waits for.
 */
public enum WorkClass {
  /** The write-ahead log. Goes before all others, whatever their shares; caps hold for it too. */
  LOG,
  /** What a user waits for. What is not said to be of another class is of this one. */
  FOREGROUND,
  /** Writing changed pages back. */
  CLEANER,
  /** Flushes and merges of an ordered store. */
  COMPACTION,
  /** Copies, scrubbing, and what else has time. */
  BACKUP;

  /** Returns the name in settings: in small letters. */
  String settingName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
