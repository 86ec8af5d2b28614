package io.ewok.gds.allocator;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an allocator does to find mistakes of those who use its memory. Each is switched on by a
 * letter; with none, the default, no call does anything for it.
 *
 * <table>
 * <caption>Letters</caption>
 * <tr><th>letter</th><th>what</th><th>finds</th><th>costs</th></tr>
 * <tr><td>R</td><td>red zones: bytes around an allocation that nobody may write, looked at when it
 *     is freed</td><td>writes past either end</td><td>memory, up to twice as much</td></tr>
 * <tr><td>P</td><td>poison: new memory is filled with {@code 0xa5}, freed memory with {@code 0xdd},
 *     looked at when it is allocated again</td><td>reads before the first write and after free,
 *     writes after free</td><td>touches each byte three times</td></tr>
 * <tr><td>Q</td><td>quarantine: freed memory waits, behind a bounded amount of other, before it is
 *     allocated again</td><td>more of what P finds, and later uses</td><td>up to 1 MiB an
 *     allocator</td></tr>
 * <tr><td>T</td><td>sites: where each allocation was made and freed is remembered, and told in
 *     errors and leak reports</td><td>who did it</td><td>microseconds a call, some bytes a live
 *     allocation</td></tr>
 * <tr><td>F</td><td>the n-th allocation of each allocator fails, as if there were no room</td>
 *     <td>code that does not expect that</td><td>nothing</td></tr>
 * </table>
 *
 * <p>What is found is a {@link MemoryCorruptionException}, except under F. An allocator that cannot
 * do what a letter says passes over it, and says so in its own documentation.
 *
 * <p>A value; threads: any.
 *
 * <pre>{@code
 * DebugLetters letters = DebugLetters.parse("RPQT,F=17");
 * }</pre>
 *
 * @param redZones R
 * @param poison P
 * @param quarantine Q
 * @param sites T
 * @param failAt F: which allocation fails, the first is 1; 0 for none
 */
public record DebugLetters(
    boolean redZones, boolean poison, boolean quarantine, boolean sites, long failAt) {

  /** The system property that says which letters are on where nothing else says so. */
  public static final String PROPERTY = "gds.allocator.debug";

  /** Name of the setting that says which letters are on. */
  public static final String KEY = "memory.debug";

  /** None. */
  public static final DebugLetters NONE = new DebugLetters(false, false, false, false, 0);

  private static final Pattern TEXT =
      Pattern.compile("([RPQT]*)(?:,?F=([0-9]{1,18}))?", Pattern.CASE_INSENSITIVE);

  /** Checks the range. */
  public DebugLetters {
    if (failAt < 0) {
      throw new IllegalArgumentException("allocations are counted from 1: failAt=" + failAt);
    }
  }

  /**
   * Returns the letters that the system property {@value #PROPERTY} has, {@link #NONE} if it is not
   * set.
   *
   * @throws IllegalArgumentException if its value is wrong; the message ends in the property, an
   *     equals sign and the value
   */
  public static DebugLetters fromProperty() {
    String text = System.getProperty(PROPERTY);
    return text == null ? NONE : parse(PROPERTY, text);
  }

  /**
   * Reads letters: any of R, P, Q and T in any order, and then {@code F=} with a number, which may
   * stand behind a comma. Case does not matter; an empty text is {@link #NONE}.
   *
   * @throws IllegalArgumentException if there is anything else; the message ends in {@code
   *     letters=} and the text
   */
  public static DebugLetters parse(String text) {
    return parse("letters", text);
  }

  /**
   * Reads the value of a setting, as {@link #parse(String)} does.
   *
   * @throws IllegalArgumentException if it is wrong; the message ends in the setting, an equals
   *     sign and the text
   */
  public static DebugLetters parse(String setting, String text) {
    Matcher matcher = TEXT.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "letters are R (red zones), P (poison), Q (quarantine), T (sites), and F=n (the n-th"
              + " allocation fails), as in RPQT,F=17: "
              + setting
              + "="
              + text);
    }
    String letters = matcher.group(1).toUpperCase(Locale.ROOT);
    String failAt = matcher.group(2);
    return new DebugLetters(
        letters.contains("R"),
        letters.contains("P"),
        letters.contains("Q"),
        letters.contains("T"),
        failAt == null ? 0 : Long.parseLong(failAt));
  }

  /**
   * Returns these letters with R on or off: off for an owner who counts on where exactly memory
   * lies.
   */
  public DebugLetters withRedZones(boolean redZones) {
    return new DebugLetters(redZones, poison, quarantine, sites, failAt);
  }

  /** Returns whether no letter is on. */
  public boolean isNone() {
    return equals(NONE);
  }

  /** Returns what {@link #parse(String)} reads. */
  @Override
  public String toString() {
    String letters =
        (redZones ? "R" : "") + (poison ? "P" : "") + (quarantine ? "Q" : "") + (sites ? "T" : "");
    if (failAt == 0) {
      return letters;
    }
    return (letters.isEmpty() ? "" : letters + ",") + "F=" + failAt;
  }
}
