package io.ewok.gds.cli.trace;

import java.io.IOException;
import java.math.BigInteger;
import java.util.regex.Pattern;

/** {@link TraceFormat#KEYS}. */
final class KeyLines {
  private static final Pattern NUMBER = Pattern.compile("[+-]?[0-9]+");
  private static final int BITS = Long.SIZE;

  private KeyLines() {}

  /** Returns how many lines were no number. */
  static long read(TextLines lines, RequestConsumer consumer) throws IOException {
    long skipped = 0;
    for (String line = lines.next(); line != null; line = lines.next()) {
      long key = Numbers.parseOrMinusOne(line);
      if (key >= 0) {
        consumer.request(key, 1);
      } else if (NUMBER.matcher(line).matches()) {
        consumer.request(big(lines, line), 1);
      } else {
        skipped++;
      }
    }
    return skipped;
  }

  /** A number with a sign, or of 64 bits. */
  private static long big(TextLines lines, String line) throws TraceFormatException {
    BigInteger number = new BigInteger(line);
    if (number.bitLength() > (number.signum() < 0 ? BITS - 1 : BITS)) {
      throw lines.malformed("the number has more than 64 bits", line);
    }
    return number.longValue();
  }
}
