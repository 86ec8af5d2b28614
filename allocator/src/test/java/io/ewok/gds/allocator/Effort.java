package io.ewok.gds.allocator;

/** How much a test repeats itself. */
final class Effort {
  private static final int LESS_WITH_LETTERS = 10;

  private Effort() {}

  /** Returns so many, or a tenth, at least one, where letters make each of them much slower. */
  static int of(int rounds) {
    return DebugLetters.fromProperty().isNone() ? rounds : Math.max(1, rounds / LESS_WITH_LETTERS);
  }
}
