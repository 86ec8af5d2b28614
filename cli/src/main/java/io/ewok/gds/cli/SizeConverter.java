package io.ewok.gds.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Sizes as people write them: {@code 4096}, {@code 64K}, {@code 64M}, {@code 2G}; a unit is a power
 * of 1024.
 */
final class SizeConverter implements ITypeConverter<Long> {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,18})\\s*([KMGT]?)(I?B)?");
  private static final String UNITS = "KMGT";

  @Override
  public Long convert(String text) {
    Matcher matcher = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw bad(text);
    }
    int shift = 10 * (matcher.group(2).isEmpty() ? 0 : 1 + UNITS.indexOf(matcher.group(2)));
    long number = Long.parseLong(matcher.group(1));
    if (number == 0 || number > Long.MAX_VALUE >> shift) {
      throw bad(text);
    }
    return number << shift;
  }

  private static TypeConversionException bad(String text) {
    return new TypeConversionException(
        "'" + text + "' is not a size: write bytes or a number with K, M, G or T, such as 64M");
  }
}
