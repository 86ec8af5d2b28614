package io.ewok.gds.lsm;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of an archive, by its name.
 *
 * @param path where it is
 * @param history of which store it is, and since when: sequence numbers of one history are given
 *     once, while a store that was restored gives the same ones to other writes. Later ones are
 *     greater
 * @param fromLsn the records behind this position are in it
 * @param toLsn up to this one, where the last of them ends
 * @param checksum of the whole file, see {@link FileChecksum}
 */
record ArchivedLog(Path path, long history, long fromLsn, long toLsn, long checksum) {
  private static final String SUFFIX = ".archived";
  private static final Pattern NAME =
      Pattern.compile(
          "([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{16})" + Pattern.quote(SUFFIX));

  /** The file of a directory that has such records. */
  static ArchivedLog in(Path directory, long history, long fromLsn, long toLsn, long checksum) {
    String name =
        String.format(
            Locale.ROOT, "%016x-%016x-%016x-%016x%s", history, fromLsn, toLsn, checksum, SUFFIX);
    return new ArchivedLog(directory.resolve(name), history, fromLsn, toLsn, checksum);
  }

  /** What a file is by its name, or nothing. */
  static Optional<ArchivedLog> of(Path path) {
    Matcher matcher = NAME.matcher(path.getFileName().toString());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long[] numbers = new long[4];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Long.parseUnsignedLong(matcher.group(i + 1), 16);
    }
    boolean isSound = numbers[0] > 0 && numbers[1] >= 0 && numbers[2] > numbers[1];
    return isSound
        ? Optional.of(new ArchivedLog(path, numbers[0], numbers[1], numbers[2], numbers[3]))
        : Optional.empty();
  }
}
