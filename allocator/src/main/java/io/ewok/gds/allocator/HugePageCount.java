package io.ewok.gds.allocator;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much of a range of addresses lies in huge pages, as {@code /proc/self/smaps} tells. */
final class HugePageCount {
  private static final Pattern MAPPING = Pattern.compile("([0-9a-f]{1,16})-([0-9a-f]{1,16}) .*");
  private static final Pattern HUGE =
      Pattern.compile("(?:AnonHugePages|Private_Hugetlb):\\s+([0-9]{1,15}) kB");

  private HugePageCount() {}

  /**
   * Returns the bytes. The kernel counts by its own mappings, into which it joins neighbours that
   * are alike; of a joined one the range is taken to have its share.
   *
   * @param root stands for the root of the file system
   */
  static long bytes(Path root, long address, long lengthBytes) throws IOException {
    long hugeBytes = 0;
    // The mapping that the lines are about, and how much of it is in the range.
    long mappedBytes = 1;
    long commonBytes = 0;
    Path smaps = root.resolve("proc/self/smaps");
    // Names of mapped files can be any bytes.
    try (BufferedReader lines = Files.newBufferedReader(smaps, StandardCharsets.ISO_8859_1)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Matcher mapping = MAPPING.matcher(line);
        Matcher huge = HUGE.matcher(line);
        if (mapping.matches()) {
          long from = Long.parseUnsignedLong(mapping.group(1), 16);
          long to = Long.parseUnsignedLong(mapping.group(2), 16);
          mappedBytes = to - from;
          // The kernel's own mappings lie at negative addresses.
          commonBytes =
              to <= 0
                  ? 0
                  : Math.max(0, Math.min(to, address + lengthBytes) - Math.max(from, address));
        } else if (commonBytes > 0 && huge.matches()) {
          double share = (double) commonBytes / mappedBytes;
          hugeBytes += Math.round((Long.parseLong(huge.group(1)) << 10) * share);
        }
      }
    }
    return hugeBytes;
  }
}
