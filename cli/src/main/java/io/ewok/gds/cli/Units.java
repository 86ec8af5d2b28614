package io.ewok.gds.cli;

import java.util.Locale;

/** Numbers with their units, as the tables print them. */
final class Units {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

  private Units() {}

  static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** A count of things that are called {@code one}, as in "1 table" and "2 tables". */
  static String count(long count, String one) {
    return count(count) + " " + one + (count == 1 ? "" : "s");
  }

  static String bytes(long bytes) {
    double scaled = bytes;
    int unit = 0;
    while (Math.abs(scaled) >= 1024 && unit < BYTE_UNITS.length - 1) {
      scaled /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(Locale.ROOT, "%.1f %s", scaled, BYTE_UNITS[unit]);
  }

  static String seconds(long nanos) {
    double seconds = inSeconds(nanos);
    return String.format(Locale.ROOT, seconds < 0.1 ? "%.3f s" : "%.1f s", seconds);
  }

  static String ratio(double ratio) {
    return Double.isNaN(ratio) ? "-" : String.format(Locale.ROOT, "%.2f", ratio);
  }

  static String percent(double part) {
    return Double.isNaN(part) ? "-" : String.format(Locale.ROOT, "%.1f %%", 100 * part);
  }

  static double inSeconds(long nanos) {
    return nanos / NANOS_PER_SECOND;
  }

  /** How many a second; a time too short to measure counts as one nanosecond. */
  static long perSecond(long count, long nanos) {
    return Math.round(count * NANOS_PER_SECOND / Math.max(1, nanos));
  }
}
