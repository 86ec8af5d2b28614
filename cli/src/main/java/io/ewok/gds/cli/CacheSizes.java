package io.ewok.gds.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes of caches, in keys: numbers, which may end in K or M for thousands and millions, and parts
 * of the different keys of a trace, as in {@code 5000,10K,2.5%}.
 */
final class CacheSizes {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,10}(?:\\.\\d{1,6})?)\\s*([KM%]?)");

  /** Either a number of keys or a part of them. */
  private record Size(BigDecimal number, boolean part) {}

  private final List<Size> sizes = new ArrayList<>();

  private CacheSizes() {}

  static CacheSizes parse(String option, List<String> texts) {
    CacheSizes parsed = new CacheSizes();
    for (String text : texts) {
      parsed.sizes.add(size(option, text));
    }
    return parsed;
  }

  /** The sizes for a trace, as they were given but each once. A part has at least one key. */
  List<Integer> keys(int distinctKeys) {
    return sizes.stream().map(size -> keys(size, distinctKeys)).distinct().toList();
  }

  private static int keys(Size size, int distinctKeys) {
    if (!size.part) {
      return size.number.intValueExact();
    }
    BigDecimal keys = size.number.multiply(BigDecimal.valueOf(distinctKeys));
    return Math.max(1, keys.setScale(0, RoundingMode.HALF_UP).intValueExact());
  }

  private static Size size(String option, String text) {
    Matcher matcher = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw bad(option, text);
    }
    BigDecimal number = new BigDecimal(matcher.group(1));
    boolean part = matcher.group(2).equals("%");
    BigDecimal scaled =
        switch (matcher.group(2)) {
          case "K" -> number.scaleByPowerOfTen(3);
          case "M" -> number.scaleByPowerOfTen(6);
          case "%" -> number.scaleByPowerOfTen(-2);
          default -> number;
        };
    boolean fits =
        part ? scaled.signum() > 0 && scaled.compareTo(BigDecimal.ONE) <= 0 : isPositiveInt(scaled);
    if (!fits) {
      throw bad(option, text);
    }
    return new Size(scaled, part);
  }

  private static boolean isPositiveInt(BigDecimal number) {
    return number.signum() > 0
        && number.stripTrailingZeros().scale() <= 0
        && number.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) <= 0;
  }

  private static CommandFailure bad(String option, String text) {
    return CommandFailure.usage(
        "a cache size is a number of keys from 1 to 2^31-1, such as 5000, 10K or 1M, or a part of"
            + " the different keys up to 100%: "
            + option
            + "="
            + text);
  }
}
