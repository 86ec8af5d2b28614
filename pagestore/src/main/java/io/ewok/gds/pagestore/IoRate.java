package io.ewok.gds.pagestore;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A cap on transfers of one kind: operations per second, bytes per second, either or both.
 *
 * <p>In settings it is {@code operations/bytes}: {@code 10K/100MB}, {@code 10K} or {@code /100MB};
 * or {@code unlimited}. K and M count operations in thousands and millions. Bytes are a plain
 * number or have a unit: KB, MB and GB are powers of 1000, as those who sell devices count, KiB,
 * MiB and GiB powers of 1024.
 *
 * @param operationsPerSecond 1 to {@link #PER_SECOND_MAX}, or {@link #NO_CAP}
 * @param bytesPerSecond 1 to {@link #PER_SECOND_MAX}, or {@link #NO_CAP}; a transfer larger than it
 *     still passes, and those after it wait until it is paid for
 */
public record IoRate(long operationsPerSecond, long bytesPerSecond) {
  /** The largest cap. */
  public static final long PER_SECOND_MAX = 1_000_000_000_000_000L;

  /** In place of a number: no cap. */
  public static final long NO_CAP = Long.MAX_VALUE;

  /** No cap at all. */
  public static final IoRate UNLIMITED = new IoRate(NO_CAP, NO_CAP);

  private static final String UNLIMITED_TEXT = "unlimited";
  private static final Pattern TEXT =
      Pattern.compile("(?:([0-9]{1,16})([KM]?))?(?:/([0-9]{1,16})(KB|MB|GB|KiB|MiB|GiB)?)?");

  /** Checks the ranges. */
  public IoRate {
    check("operationsPerSecond", operationsPerSecond);
    check("bytesPerSecond", bytesPerSecond);
  }

  private static void check(String name, long value) {
    if (value != NO_CAP && (value < 1 || value > PER_SECOND_MAX)) {
      throw new IllegalArgumentException(
          "a cap is 1 to %d per second: %s=%d".formatted(PER_SECOND_MAX, name, value));
    }
  }

  /** Returns a cap on operations alone. */
  public static IoRate ofOperations(long perSecond) {
    return new IoRate(perSecond, NO_CAP);
  }

  /** Returns a cap on bytes alone. */
  public static IoRate ofBytes(long perSecond) {
    return new IoRate(NO_CAP, perSecond);
  }

  /**
   * Reads a cap.
   *
   * @throws IllegalArgumentException if the text is none
   */
  public static IoRate parse(String text) {
    return parse("rate", text);
  }

  /**
   * Reads the value of a setting.
   *
   * @throws IllegalArgumentException if the text is no cap; the message ends in the setting, an
   *     equals sign and the text
   */
  public static IoRate parse(String setting, String text) {
    if (text.equals(UNLIMITED_TEXT)) {
      return UNLIMITED;
    }
    Matcher matcher = TEXT.matcher(text);
    if (text.isEmpty() || !matcher.matches()) {
      throw new IllegalArgumentException(
          "a rate is operations/bytes per second, as 10K/100MB, 10K, /100MB, or unlimited: "
              + setting
              + "="
              + text);
    }
    try {
      return new IoRate(
          number(matcher.group(1), matcher.group(2)), number(matcher.group(3), matcher.group(4)));
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "a rate is 1 to " + PER_SECOND_MAX + " per second: " + setting + "=" + text, e);
    }
  }

  private static long number(String digits, String unit) {
    if (digits == null) {
      return NO_CAP;
    }
    return Math.multiplyExact(
        Long.parseLong(digits),
        switch (unit == null ? "" : unit) {
          case "K", "KB" -> 1000L;
          case "M", "MB" -> 1_000_000L;
          case "GB" -> 1_000_000_000L;
          case "KiB" -> 1L << 10;
          case "MiB" -> 1L << 20;
          case "GiB" -> 1L << 30;
          default -> 1L;
        });
  }

  /** Returns whether there is no cap at all. */
  public boolean isUnlimited() {
    return operationsPerSecond == NO_CAP && bytesPerSecond == NO_CAP;
  }

  /** Returns text that {@link #parse} makes the same cap of. */
  @Override
  public String toString() {
    if (isUnlimited()) {
      return UNLIMITED_TEXT;
    }
    return (operationsPerSecond == NO_CAP ? "" : Long.toString(operationsPerSecond))
        + (bytesPerSecond == NO_CAP ? "" : "/" + bytesPerSecond);
  }
}
