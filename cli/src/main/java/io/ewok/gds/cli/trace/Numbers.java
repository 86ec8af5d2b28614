package io.ewok.gds.cli.trace;

/** Decimal numbers of traces. */
final class Numbers {
  private Numbers() {}

  /** A number of digits alone, up to 2^63 - 1; -1 if the text is none. */
  static long parseOrMinusOne(String text) {
    if (text.isEmpty() || text.length() > 19) {
      return -1;
    }
    long number = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9 || number > (Long.MAX_VALUE - digit) / 10) {
        return -1;
      }
      number = 10 * number + digit;
    }
    return number;
  }
}
