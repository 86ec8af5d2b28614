package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreStats;
import io.ewok.gds.pagestore.KeySource;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How many files are encrypted with which key, for people and for JSON. */
final class FilesByKey {
  private FilesByKey() {}

  /** Of several families together. */
  static SortedMap<Integer, Long> sum(List<StoreStats.OfFamily> families) {
    SortedMap<Integer, Long> sum = new TreeMap<>();
    for (StoreStats.OfFamily family : families) {
      family.filesByKey().forEach((key, files) -> sum.merge(key, files, Long::sum));
    }
    return sum;
  }

  /** Whether there is anything to tell people: some file is encrypted. */
  static boolean isTold(SortedMap<Integer, Long> files) {
    return !files.isEmpty() && !files.keySet().equals(Set.of(KeySource.NOT_ENCRYPTED));
  }

  static String name(int key) {
    return key == KeySource.NOT_ENCRYPTED ? "not encrypted" : "encrypted with key " + key;
  }

  /** In one line. */
  static String text(SortedMap<Integer, Long> files) {
    return files.entrySet().stream()
        .map(each -> "%s %s".formatted(Units.count(each.getValue()), name(each.getKey())))
        .collect(Collectors.joining(", "));
  }

  static List<Long> ids(SortedMap<Integer, Long> files) {
    return files.keySet().stream().map(Integer::longValue).toList();
  }
}
