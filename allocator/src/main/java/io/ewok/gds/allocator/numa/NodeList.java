package io.ewok.gds.allocator.numa;

import java.util.BitSet;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lists of numbers as the kernel writes them: {@code 0-3,8}. Confined to no thread: no state. */
final class NodeList {
  private static final Pattern RANGE = Pattern.compile("([0-9]{1,9})(?:-([0-9]{1,9}))?");

  private NodeList() {}

  /**
   * Reads a list; the empty text is the empty list.
   *
   * @return nothing if the text is no list, a range runs backwards, or a number is above {@code
   *     max}
   */
  static Optional<BitSet> parse(String text, int max) {
    BitSet numbers = new BitSet();
    if (text.isEmpty()) {
      return Optional.of(numbers);
    }
    for (String part : text.split(",", -1)) {
      Matcher range = RANGE.matcher(part);
      if (!range.matches()) {
        return Optional.empty();
      }
      int first = Integer.parseInt(range.group(1));
      int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
      if (first > last || last > max) {
        return Optional.empty();
      }
      numbers.set(first, last + 1);
    }
    return Optional.of(numbers);
  }

  /** The shortest list of the numbers; what {@link #parse} reads. */
  static String format(BitSet numbers) {
    StringJoiner list = new StringJoiner(",");
    int first = numbers.nextSetBit(0);
    while (first >= 0) {
      int end = numbers.nextClearBit(first);
      list.add(end - first == 1 ? Integer.toString(first) : first + "-" + (end - 1));
      first = numbers.nextSetBit(end);
    }
    return list.toString();
  }
}
