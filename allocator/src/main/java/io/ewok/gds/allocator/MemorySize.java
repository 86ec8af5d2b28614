package io.ewok.gds.allocator;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of memory in a setting: bytes, or a share of what there is.
 *
 * <table>
 * <caption>Texts</caption>
 * <tr><td>{@code 4096}</td><td>bytes</td></tr>
 * <tr><td>{@code 64K}, {@code 64KiB}</td><td>times 1024; {@code M}, {@code G} and {@code T}
 *     alike</td></tr>
 * <tr><td>{@code 50%}, {@code 12.5%}</td><td>of what the process may use, {@link
 *     ProcessMemory#limitBytes}, or whatever else the setting says; 0 to 100</td></tr>
 * </table>
 *
 * <p>Case does not matter; {@code KB} and the like, which mean different things to different
 * people, are refused. A value; threads: any.
 *
 * {@snippet :
 * MemorySize size = MemorySize.parse("memory.read-arena.max", "50%");
 * long bytes = size.bytes(ProcessMemory.limitBytes());
 * }
 */
public final class MemorySize {
  private static final Pattern BYTES = Pattern.compile("([0-9]+) ?(?:([KMGT])(?:IB)?)?");
  private static final Pattern SHARE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?) ?%");
  private static final String UNITS = "KMGT";
  private static final BigDecimal HUNDRED = BigDecimal.valueOf(100);

  /** Bytes or percent. */
  private final BigDecimal amount;

  private final boolean isShare;

  private MemorySize(BigDecimal amount, boolean isShare) {
    this.amount = amount;
    this.isShare = isShare;
  }

  /**
   * So many bytes.
   *
   * @throws IllegalArgumentException if negative
   */
  public static MemorySize ofBytes(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("a size is not negative: bytes=" + bytes);
    }
    return new MemorySize(BigDecimal.valueOf(bytes), false);
  }

  /**
   * Reads a size.
   *
   * @throws IllegalArgumentException if the text is none; the message ends in {@code size=} and the
   *     text
   */
  public static MemorySize parse(String text) {
    return parse("size", text);
  }

  /**
   * Reads the value of a setting.
   *
   * @throws IllegalArgumentException if the text is no size; the message ends in the setting, an
   *     equals sign and the text
   */
  public static MemorySize parse(String setting, String text) {
    String upper = text.strip().toUpperCase(Locale.ROOT);
    Matcher share = SHARE.matcher(upper);
    if (share.matches()) {
      BigDecimal percent = new BigDecimal(share.group(1)).stripTrailingZeros();
      if (percent.compareTo(HUNDRED) > 0) {
        throw new IllegalArgumentException("a share is at most 100%: " + setting + "=" + text);
      }
      return new MemorySize(percent, true);
    }
    Matcher bytes = BYTES.matcher(upper);
    if (!bytes.matches()) {
      throw new IllegalArgumentException(
          "a size is bytes, or a number with K, M, G or T (KiB and so on), or a percentage: "
              + setting
              + "="
              + text);
    }
    int shift = bytes.group(2) == null ? 0 : 10 * (UNITS.indexOf(bytes.group(2)) + 1);
    BigInteger count = new BigInteger(bytes.group(1)).shiftLeft(shift);
    if (count.bitLength() >= Long.SIZE) {
      throw new IllegalArgumentException("more bytes than there can be: " + setting + "=" + text);
    }
    return ofBytes(count.longValue());
  }

  /**
   * The bytes.
   *
   * @param wholeBytes what a percentage is taken of; no limit otherwise
   * @return a share is rounded down
   * @throws IllegalArgumentException if the whole is negative
   */
  public long bytes(long wholeBytes) {
    if (wholeBytes < 0) {
      throw new IllegalArgumentException("a size is not negative: wholeBytes=" + wholeBytes);
    }
    if (!isShare) {
      return amount.longValueExact();
    }
    return BigDecimal.valueOf(wholeBytes)
        .multiply(amount)
        .movePointLeft(2)
        .setScale(0, RoundingMode.DOWN)
        .longValueExact();
  }

  /** Whether it is a percentage. */
  public boolean isShare() {
    return isShare;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MemorySize that
        && isShare == that.isShare
        && amount.compareTo(that.amount) == 0;
  }

  @Override
  public int hashCode() {
    return amount.stripTrailingZeros().hashCode() * 2 + (isShare ? 1 : 0);
  }

  /** What {@link #parse} reads: bytes as a plain number, or the percentage. */
  @Override
  public String toString() {
    return amount.toPlainString() + (isShare ? "%" : "");
  }
}
