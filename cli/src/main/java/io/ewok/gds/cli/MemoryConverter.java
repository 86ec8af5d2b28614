package io.ewok.gds.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Sizes as in settings, such as {@code 64M}, and percentages of the memory that this process may
 * use, as its control group or the machine limits it.
 */
final class MemoryConverter implements ITypeConverter<Long> {
  @Override
  public Long convert(String text) {
    try {
      long bytes = StoreMemory.bytes("--memory", text);
      if (bytes > 0) {
        return bytes;
      }
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'" + text + "' is not memory: " + e.getMessage());
    }
    throw new TypeConversionException("'" + text + "' is no memory at all");
  }
}
