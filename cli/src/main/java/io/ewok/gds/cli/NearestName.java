package io.ewok.gds.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/**
 * What somebody may have meant who mistyped a name: the one with the least letters to add, remove,
 * replace or swap with their neighbour. That is the restricted edit distance of F. J. Damerau, "A
 * technique for computer detection and correction of spelling errors", CACM 7 (1964).
 */
final class NearestName {
  private NearestName() {}

  /** Returns the name that is nearest, the first of several; nothing if there is none. */
  static Optional<String> of(String typed, Collection<String> names) {
    return names.stream().min(Comparator.comparingInt(name -> distance(typed, name)));
  }

  static int distance(String from, String to) {
    int[] a = from.codePoints().toArray();
    int[] b = to.codePoints().toArray();
    int[][] least = new int[a.length + 1][b.length + 1];
    for (int i = 0; i <= a.length; i++) {
      for (int j = 0; j <= b.length; j++) {
        if (i == 0 || j == 0) {
          least[i][j] = i + j;
          continue;
        }
        int replaced = least[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
        least[i][j] = Math.min(replaced, 1 + Math.min(least[i - 1][j], least[i][j - 1]));
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
          least[i][j] = Math.min(least[i][j], 1 + least[i - 2][j - 2]);
        }
      }
    }
    return least[a.length][b.length];
  }
}
