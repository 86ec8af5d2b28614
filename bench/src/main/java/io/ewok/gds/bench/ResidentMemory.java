package io.ewok.gds.bench;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the kernel says of this process's memory. */
final class ResidentMemory {
  private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) .*");
  private static final Pattern RSS = Pattern.compile("Rss: +([0-9]+) kB");

  private ResidentMemory() {}

  /** Returns the bytes of the whole process that are in memory. */
  static long bytes() {
    Matcher matcher = RSS.matcher(read("/proc/self/smaps_rollup"));
    if (!matcher.find()) {
      throw new IllegalStateException("the kernel does not tell the resident memory");
    }
    return kibibytes(matcher);
  }

  /** Returns the bytes of regions that are in memory. */
  static long bytes(Collection<Region> regions) {
    long bytes = 0;
    boolean ours = false;
    for (String line : read("/proc/self/smaps").lines().toList()) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.matches()) {
        long from = Long.parseUnsignedLong(mapping.group(1), 16);
        long to = Long.parseUnsignedLong(mapping.group(2), 16);
        ours = regions.stream().anyMatch(region -> overlap(region, from, to));
      } else if (ours) {
        Matcher rss = RSS.matcher(line);
        bytes += rss.matches() ? kibibytes(rss) : 0;
      }
    }
    return bytes;
  }

  private static boolean overlap(Region region, long from, long to) {
    long start = region.address();
    return Long.compareUnsigned(start, to) < 0
        && Long.compareUnsigned(from, start + region.sizeBytes()) < 0;
  }

  private static long kibibytes(Matcher matcher) {
    return Long.parseLong(matcher.group(1)) << 10;
  }

  private static String read(String path) {
    try {
      return Files.readString(Path.of(path), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
